using System.ComponentModel.DataAnnotations;

namespace Fpn.Service.Api;

/// <summary>What a request may cost at most (<c>Fpn:Limits</c>); checked before the work is done.</summary>
internal sealed class LimitsOptions
{
    /// <summary>Size of an encoded image, in bytes. Default 20 MiB; 1 to 1 GiB. Larger ones are answered 413.</summary>
    [Range(1L, 1L << 30, ErrorMessage = "{0} must be from {1} to {2} bytes")]
    public long MaxImageBytes { get; set; } = 20L << 20;

    /// <summary>Width × height of an image, told from its header. Default 40 million; 1 to 536,870,911. Larger ones are answered 413.</summary>
    [Range(1L, 536_870_911L, ErrorMessage = "{0} must be from {1} to {2} pixels")]
    public long MaxImagePixels { get; set; } = 40_000_000;
}
