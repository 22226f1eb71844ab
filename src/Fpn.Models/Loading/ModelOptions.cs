using System.ComponentModel.DataAnnotations;

namespace Fpn.Models.Loading;

/// <summary>Which models are served (<c>Fpn:Models</c>).</summary>
internal sealed class ModelOptions
{
    /// <summary>Folder of the model packages, one folder a model; relative to the content root. Default
    /// <c>models</c>.</summary>
    [Required(ErrorMessage = "{0} must name a folder")]
    public string Path { get; set; } = "models";

    /// <summary>The model that answers requests which name none. Default <c>everyday</c>.</summary>
    [Required(ErrorMessage = "{0} must name a model")]
    public string Default { get; set; } = "everyday";
}
