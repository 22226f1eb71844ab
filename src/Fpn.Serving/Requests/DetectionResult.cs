using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;
using Fpn.Models;
using Fpn.Models.Detectors;
using Fpn.Models.Packages;

namespace Fpn.Serving.Requests;

/// <summary>What was found in one image.</summary>
public sealed class DetectionResult
{
    private IReadOnlyList<LabeledObject>? _objects;

    /// <summary>The objects, best score first. Empty where nothing was found.</summary>
    public IReadOnlyList<LabeledObject> Objects
    {
        // Made on demand: the service writes its answers from the detections themselves.
        get => _objects ??= CreateObjects();
        init => _objects = value;
    }

    /// <summary>Size of the image as displayed, in pixels: after EXIF orientation.</summary>
    public ImageSize Size { get; init; }

    /// <summary>Format of the image file.</summary>
    public ImageFormat Format { get; init; }

    /// <summary>Images that shared the run on the device; of several views those of the largest batch.</summary>
    public int BatchSize { get; init; }

    /// <summary>Views of the image that were taken and merged; 1 for an ordinary request.</summary>
    public int ViewCount { get; init; } = 1;

    /// <summary>From the image's arrival to its detections.</summary>
    public TimeSpan TotalTime => Times.Total;

    /// <summary>Where the time went.</summary>
    internal StageTimes Times { get; init; }

    /// <summary>The detections, best first.</summary>
    internal IReadOnlyList<DetectedObject> Detections { get; init; } = [];

    /// <summary>How they came about, where the request asked for it; otherwise null.</summary>
    internal Explanation? Explanation { get; init; }

    /// <summary>The proposals, best objectness first, where the request asked for them alone; otherwise null.</summary>
    internal IReadOnlyList<ExplainedProposal>? Proposals { get; init; }

    /// <summary>What became of each given region, where the request gave some, in their order; null for those with a
    /// fault.</summary>
    internal IReadOnlyList<ClassifiedRegion?>? Regions { get; init; }

    /// <summary>Whether detections were asked for; otherwise there is something else in their place.</summary>
    internal bool HasDetections => Proposals is null && Regions is null;

    /// <summary>Whether more than one look was asked for, even if the image was too small for more.</summary>
    internal bool HasViews { get; init; }

    /// <summary>The model that found them; gives them names.</summary>
    internal ModelContract? Contract { get; init; }

    private LabeledObject[] CreateObjects()
    {
        if (Contract is null)
        {
            return [];
        }

        var objects = new LabeledObject[Detections.Count];
        for (var i = 0; i < objects.Length; i++)
        {
            var label = Detections[i].Label;
            objects[i] = LabeledObject.Create(Detections[i], Contract.Labels[label], Contract.ClassIds[label]);
        }

        return objects;
    }
}
