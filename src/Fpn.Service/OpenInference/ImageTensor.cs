using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Globalization;
using Fpn.Service.Engine;
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
        image.IsEmpty ? Problem.BadParameter(PathOf(index), "Is empty.")
        : image.Length > limits.MaxImageBytes ? At(index, Problem.ImageTooLarge(limits.MaxImageBytes))
        : null;

    /// <summary>The same problem, naming the image that has it.</summary>
    public static Problem At(int index, Problem problem) => problem with { Parameter = PathOf(index) };

    private static string PathOf(int index) => string.Create(CultureInfo.InvariantCulture, $"{Tensors.Input}[{index}]");

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
                    PathOf(i), $"Its length is cut off: {binary.Length} of {LengthSize} bytes are there.");
            }

            var length = BinaryPrimitives.ReadUInt32LittleEndian(binary.Span);
            binary = binary[LengthSize..];
            if (length > (uint)binary.Length)
            {
                return Problem.BadParameter(PathOf(i), $"Is cut off: {binary.Length} of {length} bytes are there.");
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
            var text = request.Data[i];
            var place = body.Slice(text.Start, text.Length);
            if (text.IsEscaped)
            {
                if (!TryUnescape(place.Span, out var shorter))
                {
                    return NotBase64(i);
                }

                place = place[..shorter];
            }

            // Refuses what is too large before it is decoded; Check knows the exact size.
            if (place.Length / 4L * 3 - 2 > limits.MaxImageBytes)
            {
                return At(i, Problem.ImageTooLarge(limits.MaxImageBytes));
            }

            if (Base64.DecodeFromUtf8InPlace(place.Span, out var length) != OperationStatus.Done)
            {
                return NotBase64(i);
            }

            images[i] = place[..length];
            if (Check(images[i], i, limits) is { } problem)
            {
                return problem;
            }
        }

        return images;
    }

    private static Problem NotBase64(int index) =>
        Problem.BadParameter(
            PathOf(index), "Is not base64: A-Z, a-z, 0-9, + and /, padded with = to a multiple of four.");

    /// <summary>Removes the escapes from a JSON string that the reader has found well-formed.</summary>
    /// <remarks>Some writers escape <c>/</c> and <c>+</c>, which base64 uses.</remarks>
    /// <param name="text">Changed in place.</param>
    /// <param name="length">Length without the escapes, in bytes.</param>
    /// <returns>False when an escape stands for a character that base64 cannot hold.</returns>
    private static bool TryUnescape(Span<byte> text, out int length)
    {
        length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var value = text[i];
            if (value == '\\')
            {
                value = text[++i];
                if (value == 'u')
                {
                    if (!Utf8Parser.TryParse(text.Slice(i + 1, 4), out ushort code, out _, 'x') || code > 0x7F)
                    {
                        return false;
                    }

                    value = (byte)code;
                    i += 4;
                }
                else if (value != '/')
                {
                    return false;
                }
            }

            text[length++] = value;
        }

        return true;
    }
}
