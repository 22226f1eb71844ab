using System.ComponentModel.DataAnnotations;

namespace Fpn.Service.Compatibility.Door;

/// <summary>Settings of the contract <c>deepstack</c> (<c>Fpn:Compatibility:DeepStack</c>).</summary>
internal sealed class DeepStackOptions
{
    /// <summary>
    /// The most objects in an answer, the best. Default 20, as many as Frigate has room for; 1 to 10000.
    /// </summary>
    [Range(1, 10_000, ErrorMessage = "{0} must be from {1} to {2} objects")]
    public int MaxDetections { get; set; } = 20;

    /// <summary>
    /// The labels of objects in answers, separated by commas: others are left out. Default: all. Frigate reads no
    /// further than the first label that it does not know.
    /// </summary>
    public string Labels { get; set; } = string.Empty;
}
