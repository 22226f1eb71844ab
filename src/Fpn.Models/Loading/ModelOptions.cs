using System.ComponentModel.DataAnnotations;

namespace Fpn.Models.Loading;

/// <summary>Which models are served (<c>Fpn:Models</c>).</summary>
internal sealed class ModelOptions
{
    /// <summary>The default model, where there are several and <see cref="Default"/> names none.</summary>
    public const string UsualDefault = "everyday";

    /// <summary>
    /// Folder of the model packages, one folder a model; or one package, which holds <c>model.json</c> itself; or the
    /// version folders of one model. Relative to the content root. Default <c>models</c>.
    /// </summary>
    [Required(ErrorMessage = "{0} must name a folder")]
    public string Path { get; set; } = "models";

    /// <summary>
    /// Name of the model where <see cref="Path"/> is one package, or versions of one. Default: the name in
    /// <c>model.json</c>.
    /// </summary>
    [MinLength(1, ErrorMessage = "{0} must name a model")]
    public string? Name { get; set; }

    /// <summary>
    /// The model that answers requests which name none. Default: the only one, else <see cref="UsualDefault"/>.
    /// </summary>
    [MinLength(1, ErrorMessage = "{0} must name a model")]
    public string? Default { get; set; }

    /// <summary>
    /// How many versions of a model are served, where it is kept in version folders: the newest ones. Default 0: all of
    /// them, each of which takes memory; 0 to 1000.
    /// </summary>
    [Range(0, 1000, ErrorMessage = "{0} must be from {1} to {2}")]
    public int Versions { get; set; }

    /// <summary>
    /// Time between two looks for packages that are new or changed. Default 0: none are looked for; 0, or 1 s to 24 h.
    /// </summary>
    [PollInterval]
    public TimeSpan Poll { get; set; }
}
