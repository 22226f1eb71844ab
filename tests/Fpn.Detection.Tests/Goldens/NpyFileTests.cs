using System.Text;
using Fpn.Testing.Goldens;

namespace Fpn.Detection.Tests.Goldens;

public sealed class NpyFileTests
{
    [Fact]
    public void Parse_FloatsOfTwoRows_GivesShapeAndValues()
    {
        var array = NpyFile.Parse<float>(
            File("<f4", "(2, 3)", [.. new[] { 1f, -2, 3.5f, 0, 5, 6 }.SelectMany(BitConverter.GetBytes)]), "f4");

        Assert.Equal([2, 3], array.Shape);
        Assert.Equal([1, -2, 3.5f, 0, 5, 6], array.Values);
    }

    [Fact]
    public void Parse_IntegersAndBytes_GivesTheirValues()
    {
        Assert.Equal([7, -1], NpyFile.Parse<int>(File("<i4", "(2,)", [7, 0, 0, 0, 255, 255, 255, 255]), "i4").Values);
        Assert.Equal([258L], NpyFile.Parse<long>(File("<i8", "(1,)", [2, 1, 0, 0, 0, 0, 0, 0]), "i8").Values);
        Assert.Equal([9, 200], NpyFile.Parse<byte>(File("|u1", "(2, 1)", [9, 200]), "u1").Values);
    }

    [Fact]
    public void Parse_NoRows_GivesNoValues()
    {
        var array = NpyFile.Parse<float>(File("<f4", "(0, 5)", []), "empty");

        Assert.Equal([0, 5], array.Shape);
        Assert.Empty(array.Values);
    }

    [Theory]
    [InlineData("<f8", "(1,)", 8, "another type")]
    [InlineData(">f4", "(1,)", 4, "big-endian")]
    [InlineData("<f4", "(2,)", 4, "cut off")]
    [InlineData("<f4", "(1,)", 8, "too long")]
    public void Parse_WhatDoesNotFit_IsRefused(string descr, string shape, int bytes, string why)
    {
        Assert.Throws<InvalidDataException>(() => NpyFile.Parse<float>(File(descr, shape, new byte[bytes]), why));
    }

    [Fact]
    public void Parse_NoMagic_IsRefused()
    {
        Assert.Throws<InvalidDataException>(() => NpyFile.Parse<float>(new byte[64], "zeros"));
        Assert.Throws<InvalidDataException>(() => NpyFile.Parse<float>([], "nothing"));
    }

    private static byte[] File(string descr, string shape, byte[] values)
    {
        var header = $"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".PadRight(117) + "\n";
        return [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, 0, .. Encoding.Latin1.GetBytes(header), .. values];
    }
}
