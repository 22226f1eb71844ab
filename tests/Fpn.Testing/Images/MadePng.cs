using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Fpn.Testing.Images;

/// <summary>Small PNG files made byte by byte.</summary>
internal static class MadePng
{
    /// <summary>The signature and a header of 8-bit RGB, with nothing behind it.</summary>
    public static byte[] Header(uint width, uint height)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteUInt32BigEndian(header, width);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, 2);
        return [0x89, .. "PNG\r\n\x1a\n"u8, .. Chunk("IHDR", header)];
    }

    /// <summary>One red pixel.</summary>
    public static byte[] OnePixel() => Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC");

    /// <summary>A black picture of any size, 8-bit gray.</summary>
    public static byte[] Black(int width, int height)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        header[8] = 8;
        using var packed = new MemoryStream();
        using (var zlib = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            zlib.Write(new byte[(width + 1) * height]);
        }

        var pixels = Chunk("IDAT", packed.ToArray());
        return [0x89, .. "PNG\r\n\x1a\n"u8, .. Chunk("IHDR", header), .. pixels, .. Chunk("IEND", [])];
    }

    /// <summary>A chunk: its length, type, content and checksum.</summary>
    public static byte[] Chunk(string type, byte[] data)
    {
        byte[] typed = [.. Encoding.ASCII.GetBytes(type), .. data];
        var chunk = new byte[4 + typed.Length + 4];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        typed.CopyTo(chunk, 4);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(4 + typed.Length), Crc32(typed));
        return chunk;
    }

    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) == 0 ? crc >> 1 : 0xEDB88320 ^ (crc >> 1);
            }
        }

        return ~crc;
    }
}
