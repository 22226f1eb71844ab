using System.ComponentModel.DataAnnotations;

namespace Fpn.Models.Loading;

/// <summary>Which models are served (<c>Fpn:Models</c>).</summary>
internal sealed class ModelOptions
{
    /// <summary>The default model, where there are several and <see cref="Default"/> names none.</summary>
    public const string UsualDefault = "everyday";

    /// <summary>
    /// Folder of the model packages, one folder a model, or one package, which holds <c>model.json</c> itself; relative
    /// to the content root. Default <c>models</c>.
    /// </summary>
    [Required(ErrorMessage = "{0} must name a folder")]
    public string Path { get; set; } = "models";

    /// <summary>
    /// Name of the model where <see cref="Path"/> is one package. Default: the name in its <c>model.json</c>.
    /// </summary>
    [MinLength(1, ErrorMessage = "{0} must name a model")]
    public string? Name { get; set; }

    /// <summary>
    /// The model that answers requests which name none. Default: the only one, else <see cref="UsualDefault"/>.
    /// </summary>
    [MinLength(1, ErrorMessage = "{0} must name a model")]
    public string? Default { get; set; }
}
