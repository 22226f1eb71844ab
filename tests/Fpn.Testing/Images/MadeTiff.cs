using System.Buffers.Binary;

namespace Fpn.Testing.Images;

/// <summary>Small TIFF files made byte by byte: one strip, no compression unless its tag says so.</summary>
internal sealed class MadeTiff
{
    public bool BigEndian { get; init; }

    public bool BigTiff { get; init; }

    public int Width { get; init; } = 4;

    public int Height { get; init; } = 3;

    public int Bits { get; init; } = 8;

    public int Channels { get; init; } = 3;

    /// <summary>1 is gray, 2 RGB, 5 inks, 8 L*a*b*.</summary>
    public int Photometric { get; init; } = 2;

    public int Compression { get; init; } = 1;

    /// <summary>1 is unsigned, 2 signed, 3 floating-point; null leaves the tag out.</summary>
    public int? SampleFormat { get; init; }

    public int? MaxSampleValue { get; init; }

    public int? InkSet { get; init; }

    /// <summary>[H, W, channels], in the file's byte order.</summary>
    public required byte[] Samples { get; init; }

    /// <summary>The file.</summary>
    public byte[] ToFile()
    {
        var counts = Enumerable.Repeat(1, Channels);
        var header = BigTiff ? 16 : 8;
        List<(int Tag, int Type, int[] Values)> tags =
        [
            (256, 4, [Width]), (257, 4, [Height]), (258, 3, [.. counts.Select(_ => Bits)]), (259, 3, [Compression]),
            (262, 3, [Photometric]), (273, 4, [header]), (277, 3, [Channels]), (278, 4, [Height]),
            (279, 4, [Samples.Length]),
        ];
        if (MaxSampleValue is { } max)
        {
            tags.Add((281, 3, [.. counts.Select(_ => max)]));
        }

        if (InkSet is { } inks)
        {
            tags.Add((332, 3, [inks]));
        }

        if (SampleFormat is { } format)
        {
            tags.Add((339, 3, [.. counts.Select(_ => format)]));
        }

        var directory = header + Samples.Length;
        var spill = directory + (BigTiff ? 8 + 20 * tags.Count + 8 : 2 + 12 * tags.Count + 4);
        using var file = new MemoryStream();
        file.Write(BigEndian ? "MM"u8 : "II"u8);
        Put(file, BigTiff ? 43 : 42, 2);
        if (BigTiff)
        {
            Put(file, 8, 2);
            Put(file, 0, 2);
        }

        Put(file, directory, BigTiff ? 8 : 4);
        file.Write(Samples);
        Put(file, tags.Count, BigTiff ? 8 : 2);
        using var outside = new MemoryStream();
        var inline = BigTiff ? 8 : 4;
        foreach (var (tag, type, values) in tags)
        {
            var length = type == 3 ? 2 : 4;
            Put(file, tag, 2);
            Put(file, type, 2);
            Put(file, values.Length, inline);
            if (values.Length * length > inline)
            {
                Put(file, spill + (int)outside.Length, inline);
                Array.ForEach(values, value => Put(outside, value, length));
            }
            else
            {
                Array.ForEach(values, value => Put(file, value, length));
                file.Write(new byte[inline - values.Length * length]);
            }
        }

        Put(file, 0, inline);
        outside.WriteTo(file);
        return file.ToArray();
    }

    /// <summary>16-bit numbers as bytes of a file.</summary>
    public static byte[] Shorts(bool bigEndian, params ReadOnlySpan<ushort> numbers)
    {
        var bytes = new byte[numbers.Length * 2];
        for (var i = 0; i < numbers.Length; i++)
        {
            (bytes[2 * i + (bigEndian ? 1 : 0)], bytes[2 * i + (bigEndian ? 0 : 1)]) =
                ((byte)numbers[i], (byte)(numbers[i] >> 8));
        }

        return bytes;
    }

    private void Put(Stream to, long number, int length)
    {
        Span<byte> bytes = stackalloc byte[8];
        if (BigEndian)
        {
            BinaryPrimitives.WriteInt64BigEndian(bytes, number);
            to.Write(bytes[(8 - length)..]);
        }
        else
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
            to.Write(bytes[..length]);
        }
    }
}
