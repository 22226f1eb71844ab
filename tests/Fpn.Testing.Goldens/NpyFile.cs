using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace Fpn.Testing.Goldens;

/// <summary>An array as numpy saved it.</summary>
/// <typeparam name="T">float ('&lt;f4'), int ('&lt;i4'), long ('&lt;i8') or byte ('|u1').</typeparam>
/// <param name="Shape">Length of each axis; empty for a scalar.</param>
/// <param name="Values">All elements, the last axis fastest.</param>
internal sealed record NpyArray<T>(int[] Shape, T[] Values)
    where T : unmanaged;

/// <summary>Reads .npy files, versions 1 and 2, C order, little-endian.</summary>
/// <remarks>Source: numpy's <c>lib/format.py</c>, "Format Version 1.0".</remarks>
internal static partial class NpyFile
{
    private static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">Not an .npy file, another element type than <typeparamref name="T"/>,
    /// Fortran order, or fewer or more bytes than the shape says.</exception>
    public static NpyArray<T> Read<T>(string path)
        where T : unmanaged => Parse<T>(File.ReadAllBytes(path), Path.GetFileName(path));

    /// <inheritdoc cref="Read"/>
    public static NpyArray<T> Parse<T>(ReadOnlySpan<byte> file, string name)
        where T : unmanaged
    {
        if (file.Length < 12 || !file.StartsWith(Magic) || file[6] is not (1 or 2))
        {
            throw new InvalidDataException($"{name} is not an .npy file of version 1 or 2.");
        }

        var headerStart = file[6] == 1 ? 10 : 12;
        var headerLength = file[6] == 1
            ? BinaryPrimitives.ReadUInt16LittleEndian(file[8..])
            : checked((int)BinaryPrimitives.ReadUInt32LittleEndian(file[8..]));
        var header = Encoding.Latin1.GetString(file.Slice(headerStart, headerLength));
        if (Field(header, DescrPattern()) != Descr<T>() || Field(header, OrderPattern()) != "False")
        {
            throw new InvalidDataException($"{name} is not '{Descr<T>()}' in C order: {header.Trim()}");
        }

        var shape = Field(header, ShapePattern())
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(int.Parse)
            .ToArray();
        var bytes = file[(headerStart + headerLength)..];
        var expected = shape.Aggregate((long)Marshal.SizeOf<T>(), (size, side) => size * side);
        if (bytes.Length != expected)
        {
            throw new InvalidDataException($"{name} holds {bytes.Length} bytes after its header, not {expected}.");
        }

        return new NpyArray<T>(shape, MemoryMarshal.Cast<byte, T>(bytes).ToArray());
    }

    private static string Descr<T>() => default(T) switch
    {
        float => "<f4",
        int => "<i4",
        long => "<i8",
        byte => "|u1",
        _ => throw new NotSupportedException($"No golden holds {typeof(T)}."),
    };

    private static string Field(string header, Regex pattern) => pattern.Match(header).Groups[1].Value;

    [GeneratedRegex("'descr': '([^']*)'")]
    private static partial Regex DescrPattern();

    [GeneratedRegex("'fortran_order': (\\w+)")]
    private static partial Regex OrderPattern();

    [GeneratedRegex("'shape': \\(([^)]*)\\)")]
    private static partial Regex ShapePattern();
}
