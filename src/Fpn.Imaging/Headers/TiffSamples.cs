namespace Fpn.Imaging.Headers;

/// <summary>The samples of a TIFF's page, described by its tags before anything is decoded.</summary>
/// <remarks>
/// TIFF holds measurements as well as pictures, and libraries guess their colors. Accepted are the samples for which
/// TIFF 6.0 defines a display: unsigned integers in gray, RGB, a palette, YCbCr or the four inks.
/// </remarks>
/// <param name="Refusal">The reason why the colors of the page are uncertain, to follow "cannot be decoded: "; null
/// where they are certain, or where damage hides the tags.</param>
/// <param name="Has16Bits">Whether samples have 16 bits, of which a picture may use fewer.</param>
/// <param name="ZeroIsWhite">Whether higher values are darker.</param>
internal readonly record struct TiffSamples(string? Refusal, bool Has16Bits, bool ZeroIsWhite)
{
    private const int BitsPerSample = 258;
    private const int Compression = 259;
    private const int Photometric = 262;
    private const int MaxSampleValue = 281;
    private const int InkSet = 332;
    private const int SampleFormat = 339;

    /// <summary>The bits of a 16-bit sample that must be used at least; with fewer the scale is unknown.</summary>
    private const int LeastUsedBits = 15;

    /// <summary>Reads the tags of a page.</summary>
    internal static TiffSamples Read(TiffTags tags)
    {
        var bits = tags.All(BitsPerSample);
        var has16Bits = bits.Contains(16u);
        var refusal = RefuseCompression(tags.First(Compression) ?? 1)
            ?? RefuseColors(tags.First(Photometric), tags.First(InkSet) ?? 1)
            ?? RefuseFormats(tags.All(SampleFormat))
            ?? RefuseBits(bits)
            ?? (has16Bits ? RefuseShallow(tags.All(MaxSampleValue)) : null);
        return new TiffSamples(refusal, has16Bits, tags.First(Photometric) == 0);
    }

    /// <summary>Whether the decoded picture uses fewer bits than its samples are stored in.</summary>
    /// <param name="pixels">The upper bytes of all samples but alpha.</param>
    /// <remarks>Cameras with 10, 12 or 14 bits store their values unscaled in 16, often without a tag that says so.
    /// Such a picture cannot be distinguished from a nearly black one.</remarks>
    internal bool AreShallow(ReadOnlySpan<byte> pixels)
    {
        const byte used = 1 << (LeastUsedBits - 1 - 8);
        return Has16Bits
            && !(ZeroIsWhite
                ? pixels.ContainsAnyInRange((byte)0, (byte)(255 - used))
                : pixels.ContainsAnyInRange(used, (byte)255));
    }

    /// <summary>The reason for refusing a picture for which <see cref="AreShallow"/> holds.</summary>
    internal const string ShallowRefusal =
        "its 16-bit samples use 14 bits at most, so that their scale is not known; scale them to the full range";

    private static string? RefuseCompression(uint compression) => compression switch
    {
        // None, CCITT (three), LZW, JPEG, deflate (two numbers), PackBits.
        1 or 2 or 3 or 4 or 5 or 7 or 8 or 32946 or 32773 => null,
        6 => "its compression (JPEG as in TIFF 6.0) is not supported",
        34676 or 34677 => "its compression (SGI Log) is not supported",
        34712 => "its compression (JPEG 2000) is not supported",
        34887 => "its compression (LERC) is not supported",
        34925 => "its compression (LZMA) is not supported",
        50000 => "its compression (Zstandard) is not supported",
        50001 => "its compression (WebP) is not supported",
        50002 or 52546 => "its compression (JPEG XL) is not supported",
        _ => $"its compression ({compression}) is not supported",
    };

    private static string? RefuseColors(uint? photometric, uint inks) => photometric switch
    {
        // White is zero, black is zero, RGB, palette, YCbCr.
        null or 0 or 1 or 2 or 3 or 6 => null,
        5 => inks == 1 ? null : "its inks are not cyan, magenta, yellow and black",
        4 => "it is a transparency mask",
        8 or 9 or 10 => "its color model (L*a*b*) is not supported",
        32803 => "its color model (raw numbers of a sensor) is not supported",
        32844 or 32845 => "its color model (LogLuv) is not supported",
        34892 => "its color model (linear raw numbers of a sensor) is not supported",
        _ => $"its color model ({photometric}) is not supported",
    };

    private static string? RefuseFormats(uint[] formats)
    {
        foreach (var format in formats)
        {
            // 1 is unsigned; 4, undefined, is read as if the tag were absent.
            var kind = format switch
            {
                1 or 4 => null,
                2 => "signed",
                3 => "floating-point",
                5 or 6 => "complex",
                _ => "unknown",
            };
            if (kind is not null)
            {
                return $"its samples are {kind} numbers, which have no defined color";
            }
        }

        return null;
    }

    private static string? RefuseBits(uint[] bits)
    {
        foreach (var count in bits)
        {
            if (count is not (1 or 2 or 4 or 8 or 16) || count != bits[0])
            {
                return $"samples of {string.Join(", ", bits.Distinct())} bits are not supported";
            }
        }

        return null;
    }

    private static string? RefuseShallow(uint[] maxima) =>
        maxima.Length > 0 && maxima.Max() < 1u << (LeastUsedBits - 1) ? ShallowRefusal : null;
}
