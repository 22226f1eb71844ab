using System.Xml;
using Fpn.Models.Packages;
using Fpn.Service.Problems;

namespace Fpn.Service.Compatibility.LabelStudio;

/// <summary>What a project's labeling configuration says about boxes on pictures.</summary>
internal sealed class LabelConfig
{
    private const string Parameter = "label_config";

    private readonly List<(string Name, string[] Predicted)> _labels = [];

    private LabelConfig()
    {
    }

    /// <summary>Name of the control that takes boxes.</summary>
    public string FromName { get; private set; } = string.Empty;

    /// <summary>Name of the picture that it belongs to.</summary>
    public string ToName { get; private set; } = string.Empty;

    /// <summary>The member of a task's data that names the picture.</summary>
    public string DataKey { get; private set; } = string.Empty;

    /// <summary>The lowest score, as it is written; null when the configuration has none.</summary>
    public string? ScoreThreshold { get; private set; }

    /// <summary>Reads a configuration: the first <c>RectangleLabels</c> and its <c>Image</c>.</summary>
    /// <param name="xml">The configuration.</param>
    public static Outcome<LabelConfig> Read(string xml)
    {
        var config = new LabelConfig();
        var images = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null };
            using var text = new StringReader(xml);
            using var reader = XmlReader.Create(text, settings);
            while (reader.Read())
            {
                if (reader.NodeType != XmlNodeType.Element)
                {
                    continue;
                }

                if (reader.Name == "Image" && reader.GetAttribute("name") is { } name)
                {
                    images[name] = reader.GetAttribute("value") ?? string.Empty;
                }
                else if (reader.Name == "RectangleLabels" && config.FromName.Length == 0)
                {
                    config.ReadControl(reader);
                }
            }
        }
        catch (XmlException exception)
        {
            return Problem.BadParameter(Parameter, $"Is not valid XML: {exception.Message}");
        }

        if (config.FromName.Length == 0)
        {
            return Problem.BadParameter(
                Parameter, "Has no RectangleLabels with a name: boxes are all that this model can draw.");
        }

        if (!images.TryGetValue(config.ToName, out var value) || value.Length < 2 || value[0] != '$')
        {
            return Problem.BadParameter(
                Parameter,
                $"'{config.FromName}' labels '{config.ToName}', which must be an Image with a value such as $image.");
        }

        config.DataKey = value[1..];
        return config;
    }

    /// <summary>The project's label for each label of a model; null for those that it does not have.</summary>
    /// <remarks>
    /// A label stands for the names in its <c>predicted_values</c>, or else for its own, in any case. A configuration
    /// without labels takes the model's.
    /// </remarks>
    public string?[] LabelsFor(ModelContract contract) => _labels.Count == 0
        ? [.. contract.Labels]
        : [.. contract.Labels.Select(LabelFor)];

    private string? LabelFor(string predicted) => _labels
        .Where(label => label.Predicted.Contains(predicted.Trim(), StringComparer.OrdinalIgnoreCase))
        .Select(label => label.Name)
        .FirstOrDefault();

    private void ReadControl(XmlReader reader)
    {
        FromName = reader.GetAttribute("name") ?? string.Empty;
        ToName = reader.GetAttribute("toName") ?? string.Empty;
        ScoreThreshold = reader.GetAttribute("model_score_threshold");
        using var labels = reader.ReadSubtree();
        while (labels.Read())
        {
            if (labels is { NodeType: XmlNodeType.Element, Name: "Label" }
                && labels.GetAttribute("value") is { Length: > 0 } value)
            {
                var predicted = labels.GetAttribute("predicted_values") ?? value;
                _labels.Add((value, predicted.Split(',', StringSplitOptions.TrimEntries)));
            }
        }
    }
}
