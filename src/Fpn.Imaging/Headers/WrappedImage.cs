namespace Fpn.Imaging.Headers;

/// <summary>Tells bytes that only wrap an image, so that whoever sent them learns what to take off.</summary>
internal static class WrappedImage
{
    /// <summary>How base64 of the served formats begins: of JPEG, PNG, GIF, WebP, TIFF in both orders.</summary>
    private static readonly byte[][] Base64Beginnings =
        [.. new[] { "/9j/", "iVBORw0KGgo", "R0lGOD", "UklGR", "SUkqA", "TU0AK" }.Select(System.Text.Encoding.ASCII.GetBytes)];

    /// <summary>What the bytes are instead of an image.</summary>
    /// <param name="encoded">Bytes of no served format.</param>
    /// <returns>One sentence, or null when they are nothing that is known.</returns>
    public static string? Describe(ReadOnlySpan<byte> encoded)
    {
        if (encoded.StartsWith("data:"u8))
        {
            return "The content is a data: URL: send the image's bytes themselves, decoded from base64.";
        }

        foreach (var beginning in Base64Beginnings)
        {
            if (encoded.StartsWith(beginning))
            {
                return "The content is an image in base64: send the image's bytes themselves, decoded.";
            }
        }

        return encoded switch
        {
            [0x1F, 0x8B, ..] => "The content is compressed with gzip: send the image itself, it is compressed already.",
            [(byte)'P', (byte)'K', 3, 4, ..] => "The content is a ZIP archive: send one image, or several to /detect/batch.",
            [0x28, 0xB5, 0x2F, 0xFD, ..] => "The content is compressed with zstd: send the image itself, it is compressed already.",
            [(byte)'%', (byte)'P', (byte)'D', (byte)'F', ..] => "The content is a PDF document: send its pages as images.",
            _ => null,
        };
    }
}
