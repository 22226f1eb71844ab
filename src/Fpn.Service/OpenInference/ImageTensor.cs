using System.Buffers.Binary;
using System.Globalization;
using Fpn.Service.Engine;
using Fpn.Service.Json;
using Fpn.Service.OpenInference.Outputs;
using Fpn.Service.Problems;
using Fpn.Service.Wire;

namespace Fpn.Service.OpenInference;

/// <summary>The elements of the input <c>image</c>, found in the body that holds them: nothing is copied.</summary>
internal static class ImageTensor
{
    /// <summary>Bytes of an element's length in the binary form, little-endian.</summary>
    private const int LengthSize = sizeof(uint);

    /// <summary>Finds the elements of the input.</summary>
    /// <param name="body">The whole body; base64 is decoded where it stands.</param>
    /// <param name="jsonLength">Bytes of JSON that it starts with.</param>
    /// <param name="request">The request that the JSON holds.</param>
    /// <param name="limits">The limits of images.</param>
    /// <returns>N encoded images, parts of <paramref name="body"/>; or their problem.</returns>
    public static Outcome<ReadOnlyMemory<byte>[]> Split(
        Memory<byte> body, int jsonLength, InferRequest request, LimitsOptions limits)
    {
        var binary = body[jsonLength..];
        if (request.BinarySize is { } size)
        {
            return size == binary.Length
                ? SplitBinary(binary, request.Count, limits)
                : Problem.BadParameter(
                    $"inputs[0].parameters.{InferParameters.BinaryDataSize}",
                    $"Is {size}, but {binary.Length} bytes follow the JSON: {ApiHeaders.JsonLength} says where it "
                    + "ends.");
        }

        return binary.IsEmpty
            ? DecodeAll(body, request, limits)
            : Problem.BadRequest(
                $"{binary.Length} bytes follow the JSON, but no input has the parameter "
                + $"'{InferParameters.BinaryDataSize}'.");
    }

    /// <summary>Checks one element; the raw form has no other.</summary>
    /// <param name="image">An encoded image.</param>
    /// <param name="index">Position of the element, from 0.</param>
    /// <param name="limits">The limits of images.</param>
    /// <returns>Null, or its problem.</returns>
    public static Problem? Check(ReadOnlyMemory<byte> image, int index, LimitsOptions limits) =>
        InlineImage.Check(image, limits, NameFor(index));

    /// <summary>The same problem, naming the image that has it.</summary>
    public static Problem At(int index, Problem problem) => problem with { Parameter = NameFor(index) };

    private static string NameFor(int index) =>
        string.Create(CultureInfo.InvariantCulture, $"{Tensors.Input}[{index}]");

    /// <summary>Finds the elements in the binary form: each after its length, four bytes, little-endian.</summary>
    /// <param name="binary">All of them.</param>
    /// <param name="count">N.</param>
    /// <param name="limits">The limits of images.</param>
    /// <returns>N encoded images, parts of <paramref name="binary"/>; or their problem.</returns>
    public static Outcome<ReadOnlyMemory<byte>[]> SplitBinary(
        ReadOnlyMemory<byte> binary, int count, LimitsOptions limits)
    {
        var images = new ReadOnlyMemory<byte>[count];
        for (var i = 0; i < count; i++)
        {
            if (binary.Length < LengthSize)
            {
                return Problem.BadParameter(
                    NameFor(i), $"Its length is cut off: {binary.Length} of {LengthSize} bytes are there.");
            }

            var length = BinaryPrimitives.ReadUInt32LittleEndian(binary.Span);
            binary = binary[LengthSize..];
            if (length > (uint)binary.Length)
            {
                return Problem.BadParameter(NameFor(i), $"Is cut off: {binary.Length} of {length} bytes are there.");
            }

            images[i] = binary[..(int)length];
            binary = binary[(int)length..];
            if (Check(images[i], i, limits) is { } problem)
            {
                return problem;
            }
        }

        return binary.IsEmpty
            ? images
            : Problem.BadParameter(Tensors.Input, $"{binary.Length} bytes are left over after {count} elements.");
    }

    private static Outcome<ReadOnlyMemory<byte>[]> DecodeAll(
        Memory<byte> body, InferRequest request, LimitsOptions limits)
    {
        var images = new ReadOnlyMemory<byte>[request.Count];
        for (var i = 0; i < images.Length; i++)
        {
            if (InlineImage.Decode(body, request.Data[i], limits, NameFor(i), out images[i]) is { } problem)
            {
                return problem;
            }
        }

        return images;
    }
}
