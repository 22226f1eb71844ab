using Fpn.Models.Execution.Devices;
using Fpn.Models.Options;
using Fpn.Models.Packages;

namespace Fpn.Models;

/// <summary>What a loaded model is.</summary>
public sealed record ModelDescription
{
    internal ModelDescription(ModelContract contract, DeviceDescription device)
    {
        Name = contract.Name;
        Version = contract.Version;
        Description = contract.Description;
        License = contract.License;
        Source = contract.Source;
        IsTwoStage = contract.Layout == ModelLayout.TwoStage;
        Classes = [.. contract.Labels.Zip(contract.ClassIds, (label, id) => new ModelClass(label, id))];
        MinSize = contract.Input.MinSize;
        MaxSize = contract.Input.MaxSize;
        ScoreThreshold = contract.RoiHeads.ScoreThreshold;
        NmsThreshold = contract.RoiHeads.NmsThreshold;
        MaxDetections = contract.RoiHeads.DetectionsPerImage;
        Device = new DeviceInfo(device.Provider, device.Name, device.Reason);
    }

    /// <summary>Name of the model.</summary>
    public string Name { get; }

    /// <summary>Version of the package: the number of its version folder, or else free text.</summary>
    public string Version { get; }

    /// <summary>One sentence about the model, if the package has one.</summary>
    public string? Description { get; }

    /// <summary>License of the weights, if the package names it.</summary>
    public string? License { get; }

    /// <summary>Where the weights come from, if the package says so.</summary>
    public string? Source { get; }

    /// <summary>Whether proposals and detections are chosen here, between and after two graphs; otherwise one graph
    /// decides everything.</summary>
    public bool IsTwoStage { get; }

    /// <summary>The classes, in the order of the model's outputs.</summary>
    public IReadOnlyList<ModelClass> Classes { get; }

    /// <summary>Images are resized so that their shorter side has this many pixels, as far as
    /// <see cref="MaxSize"/> allows.</summary>
    public int MinSize { get; }

    /// <summary>The longer side of a resized image at most, in pixels.</summary>
    public int MaxSize { get; }

    /// <summary>Detections have a greater score than this; without meaning where one graph decides
    /// everything.</summary>
    public float ScoreThreshold { get; }

    /// <summary>A detection is removed when its overlap (intersection over union) with a better one of its class is
    /// greater than this; without meaning where one graph decides everything.</summary>
    public double NmsThreshold { get; }

    /// <summary>Detections of one image at most.</summary>
    public int MaxDetections { get; }

    /// <summary>What the model runs on.</summary>
    public DeviceInfo Device { get; }
}

/// <summary>A class of a model.</summary>
/// <param name="Label">Its name.</param>
/// <param name="Id">Its number as the package counts, such as COCO's category id.</param>
public sealed record ModelClass(string Label, int Id);

/// <summary>What a model runs on.</summary>
/// <param name="Provider">The CPU or CUDA; never <see cref="ExecutionProvider.Auto"/>.</param>
/// <param name="Name">The device's name, for people.</param>
/// <param name="Reason">Why this device was chosen, for people.</param>
public sealed record DeviceInfo(ExecutionProvider Provider, string Name, string Reason);
