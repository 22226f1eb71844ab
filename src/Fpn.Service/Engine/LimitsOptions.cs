using System.ComponentModel.DataAnnotations;

namespace Fpn.Service.Engine;

/// <summary>The most that a request may cost (<c>Fpn:Limits</c>); checked before the work is done.</summary>
internal sealed class LimitsOptions
{
    /// <summary>Size of an encoded image, in bytes. Default 20 MiB; 1 to 1 GiB. Larger ones are answered 413.</summary>
    [Range(1L, 1L << 30, ErrorMessage = "{0} must be from {1} to {2} bytes")]
    public long MaxImageBytes { get; set; } = 20L << 20;

    /// <summary>
    /// Width × height of an image, from its header. Default 40 million; 1 to 2^33. Larger ones are answered 413, and so
    /// is an image of more than 536,870,911 pixels unless it is a TIFF in tiles and read in slices.
    /// </summary>
    [Range(1L, 1L << 33, ErrorMessage = "{0} must be from {1} to {2} pixels")]
    public long MaxImagePixels { get; set; } = 40_000_000;

    /// <summary>Views of one image: slices, scales, mirror images. Default 64; 1 to 4096. More are answered
    /// 413.</summary>
    [Range(1, 4096, ErrorMessage = "{0} must be from {1} to {2}")]
    public int MaxViews { get; set; } = 64;

    /// <summary>
    /// Width × height of a view that a request asks a scale for, after resizing and padding: what the model needs grows
    /// with it. Default 4 million; 4,096 to 536,870,911. Larger ones are answered 413.
    /// </summary>
    [Range(4096L, 536_870_911L, ErrorMessage = "{0} must be from {1} to {2} pixels")]
    public long MaxViewPixels { get; set; } = 4_000_000;

    /// <summary>
    /// Bodies in memory, of all requests together, in bytes. Default 2 GiB; 1 MiB to 1 TiB. A request that would exceed
    /// it is answered 503.
    /// </summary>
    [Range(1L << 20, 1L << 40, ErrorMessage = "{0} must be from {1} to {2} bytes")]
    public long MaxBodyBytes { get; set; } = 2L << 30;

    /// <summary>
    /// Decoded pixels in memory, of all requests together, in bytes. Default 512 MiB; 1 MiB to 64 GiB. Requests beyond
    /// it wait before they are decoded; an image that alone is larger is decoded when it is the only one.
    /// </summary>
    [Range(1L << 20, 1L << 36, ErrorMessage = "{0} must be from {1} to {2} bytes")]
    public long MaxDecodedBytes { get; set; } = 512L << 20;

    /// <summary>Most images in one request. Default 64; 1 to 1024. More are answered 413, below /v2 400.</summary>
    [Range(1, 1024, ErrorMessage = "{0} must be from {1} to {2}")]
    public int MaxBatchImages { get; set; } = 64;

    /// <summary>Boxes in a request to <c>/regions</c>. Default 10,000; 1 to 1,000,000. More are answered 413.</summary>
    [Range(1, 1_000_000, ErrorMessage = "{0} must be from {1} to {2}")]
    public int MaxRegions { get; set; } = 10_000;

    /// <summary>
    /// Whole body of a request with several images, in bytes. Default 256 MiB; 1 to 16 GiB, of which 2 GiB can be used.
    /// Larger ones are answered 413.
    /// </summary>
    [Range(1L, 1L << 34, ErrorMessage = "{0} must be from {1} to {2} bytes")]
    public long MaxBatchBytes { get; set; } = 256L << 20;
}
