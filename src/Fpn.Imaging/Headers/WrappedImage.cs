using System.Text;

namespace Fpn.Imaging.Headers;

/// <summary>Recognizes bytes that only wrap an image, so that the sender learns what to remove.</summary>
internal static class WrappedImage
{
    /// <summary>The first characters of base64 of JPEG, PNG, GIF, WebP, and TIFF in both byte orders.</summary>
    private static readonly byte[][] Base64Beginnings =
    [
        .. new[] { "/9j/", "iVBORw0KGgo", "R0lGOD", "UklGR", "SUkqA", "TU0AK" }.Select(Encoding.ASCII.GetBytes),
    ];

    /// <summary>Describes the wrapping.</summary>
    /// <param name="encoded">Bytes that are not in a supported format.</param>
    /// <returns>One sentence for the client, or null where the wrapping is unknown.</returns>
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
            [(byte)'P', (byte)'K', 3, 4, ..] =>
                "The content is a ZIP archive: send one image, or several to /detect/batch.",
            [0x28, 0xB5, 0x2F, 0xFD, ..] =>
                "The content is compressed with zstd: send the image itself, it is compressed already.",
            [(byte)'%', (byte)'P', (byte)'D', (byte)'F', ..] =>
                "The content is a PDF document: send its pages as images.",
            _ => null,
        };
    }
}
