using System.Buffers.Binary;

namespace Fpn.Imaging.Tests;

/// <summary>Reads and changes the first directory of little-endian TIFF files.</summary>
internal static class TiffEntries
{
    /// <summary>Changes the value of a tag.</summary>
    public static byte[] Patch(byte[] file, int tag, uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(Find(file, tag) + 8), value);
        return file;
    }

    /// <summary>Changes the type of a tag.</summary>
    public static byte[] Retype(byte[] file, int tag, ushort type)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(Find(file, tag) + 2), type);
        return file;
    }

    /// <summary>Gives an entry to another tag.</summary>
    public static byte[] Rename(byte[] file, int tag, ushort other)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(Find(file, tag)), other);
        return file;
    }

    /// <summary>One of the values of a tag that has many.</summary>
    public static uint ReadList(byte[] file, int tag, int index) =>
        BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(FindList(file, tag) + (4 * index)));

    /// <summary>Where the values of a tag begin that has many.</summary>
    public static int FindList(byte[] file, int tag) =>
        BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(Find(file, tag) + 8));

    private static int Find(byte[] file, int tag)
    {
        var at = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(4)) + 2;
        while (BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(at)) != tag)
        {
            at += 12;
        }

        return at;
    }
}
