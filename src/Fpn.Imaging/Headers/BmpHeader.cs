using System.Buffers.Binary;

namespace Fpn.Imaging.Headers;

/// <summary>Checks the header of a BMP before anything is decoded.</summary>
/// <remarks>Accepted are files with every pixel at a fixed place: 4, 8, 24 and 32 bits without compression. Run lengths
/// may skip pixels and jump, and photographs do not use them.</remarks>
internal static class BmpHeader
{
    private const int FileHeader = 14;
    private const int Uncompressed = 0;
    private const int BitFields = 3;

    /// <summary>Whether the bytes begin like a Windows BMP; text may begin with BM, too.</summary>
    internal static bool IsBmp(ReadOnlySpan<byte> file) =>
        file.Length >= FileHeader + 40
        && file.StartsWith("BM"u8)
        && BinaryPrimitives.ReadInt32LittleEndian(file[FileHeader..]) is 40 or 52 or 56 or 64 or 108 or 124;

    /// <summary>The reason for refusing the file, to follow "cannot be decoded: "; null without one.</summary>
    /// <param name="bmp">A whole file for which <see cref="IsBmp"/> holds.</param>
    internal static string? Refuse(ReadOnlySpan<byte> bmp)
    {
        var header = bmp[FileHeader..];
        var width = BinaryPrimitives.ReadInt32LittleEndian(header[4..]);

        // Negative where the rows run from top to bottom.
        var height = Math.Abs((long)BinaryPrimitives.ReadInt32LittleEndian(header[8..]));
        var bits = BinaryPrimitives.ReadUInt16LittleEndian(header[14..]);
        var compression = BinaryPrimitives.ReadInt32LittleEndian(header[16..]);
        if (compression != Uncompressed && !(compression == BitFields && bits == 32))
        {
            return compression is 1 or 2
                ? "run-length encoding is not supported"
                : $"its compression ({compression}) is not supported";
        }

        if (bits is not (4 or 8 or 24 or 32))
        {
            return $"{bits} bits a pixel are not supported";
        }

        if (width <= 0 || height == 0)
        {
            return "its header announces no pixels";
        }

        // Rows are padded to four bytes; all of them must be there.
        var rowBytes = ((long)width * bits + 31) / 32 * 4;
        var start = BinaryPrimitives.ReadUInt32LittleEndian(bmp[10..]);
        return start >= FileHeader + 40 && start + rowBytes * height <= bmp.Length ? null : "its end is missing";
    }

    /// <summary>Columns and rows.</summary>
    internal static (uint Width, uint Height) ReadSize(ReadOnlySpan<byte> bmp) => (
        (uint)Math.Max(0, BinaryPrimitives.ReadInt32LittleEndian(bmp[(FileHeader + 4)..])),
        (uint)Math.Abs((long)BinaryPrimitives.ReadInt32LittleEndian(bmp[(FileHeader + 8)..])));
}
