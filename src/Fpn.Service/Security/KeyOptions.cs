using System.ComponentModel.DataAnnotations;

namespace Fpn.Service.Security;

/// <summary>Where the API keys are (<c>Fpn:Keys</c>). With neither place named, no caller is asked for a key.</summary>
internal sealed class KeyOptions
{
    /// <summary>
    /// A JSON file of keys, or a folder whose <c>*.json</c> files are read together, as secrets are mounted. Relative
    /// to the content root. Default: none. Read again every <see cref="ReloadInterval"/>.
    /// </summary>
    [MinLength(1, ErrorMessage = "{0} must not be empty")]
    public string? File { get; set; }

    /// <summary>
    /// The same JSON as a value, for the environment (<c>Fpn__Keys__Json</c>). Default: none. Read once, at start; its
    /// keys are valid beside those of <see cref="File"/>.
    /// </summary>
    [MinLength(1, ErrorMessage = "{0} must not be empty")]
    public string? Json { get; set; }

    /// <summary>How often the files are looked at. Default 5 s; 100 ms to 1 h.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "01:00:00", ErrorMessage = "{0} must be from {1} to {2}")]
    public TimeSpan ReloadInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether keys are asked for.</summary>
    /// <remarks>
    /// A place that is named but empty is refused at start: a secret that was not filled in must not open the service.
    /// </remarks>
    public bool AreConfigured() => File is not null || Json is not null;
}
