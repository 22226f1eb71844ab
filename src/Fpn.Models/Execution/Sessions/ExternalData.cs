using System.Text;
using Fpn.Models.Packages;

namespace Fpn.Models.Execution.Sessions;

/// <summary>
/// Finds weights that an ONNX file leaves in another file. ONNX Runtime would look for that in the folder that the
/// process runs in, and no checksum of the package covers it.
/// </summary>
/// <remarks>Reads just enough of Protocol Buffers; field numbers are those of onnx.proto. Weights are skipped, not
/// read.</remarks>
internal static class ExternalData
{
    private const int Varint = 0;
    private const int Fixed64 = 1;
    private const int LengthDelimited = 2;
    private const int Fixed32 = 5;

    private const int TensorExternalData = 13;
    private const int TensorDataLocation = 14;
    private const ulong External = 1;

    private enum Message
    {
        Model,
        Function,
        Graph,
        Node,
        Attribute,
        SparseTensor,
        Tensor,
    }

    /// <summary>Refuses a graph that needs another file.</summary>
    /// <param name="path">The graph's file, for the message.</param>
    /// <param name="model">What it holds; bytes that are no ONNX file are left to ONNX Runtime.</param>
    /// <exception cref="ModelPackageException">Some of its weights lie elsewhere.</exception>
    public static void RequireNone(string path, ReadOnlySpan<byte> model)
    {
        if (Find(model, Message.Model) is { } location)
        {
            throw new ModelPackageException(
                $"{path}: its weights lie in another file, '{location}', which no checksum of model.json covers: "
                + $"save it as one file, in Python onnx.save(onnx.load(\"{Path.GetFileName(path)}\"), \"one.onnx\").");
        }
    }

    private static string? Find(ReadOnlySpan<byte> bytes, Message message)
    {
        var (isExternal, location) = (false, "?");
        while (!bytes.IsEmpty && TryReadVarint(ref bytes, out var tag))
        {
            var (field, length) = ((int)(tag >> 3), 0UL);
            switch ((int)(tag & 7))
            {
                case Varint when TryReadVarint(ref bytes, out var number):
                    isExternal |= message == Message.Tensor && field == TensorDataLocation && number == External;
                    continue;
                case Fixed64:
                    length = 8;
                    break;
                case Fixed32:
                    length = 4;
                    break;
                case LengthDelimited when TryReadVarint(ref bytes, out length):
                    break;
                default:
                    return null;
            }

            if (length > (ulong)bytes.Length)
            {
                return null;
            }

            var content = bytes[..(int)length];
            bytes = bytes[(int)length..];
            if ((tag & 7) != LengthDelimited)
            {
                continue;
            }

            if (message == Message.Tensor && field == TensorExternalData)
            {
                location = Location(content) ?? location;
            }
            else if (Inner(message, field) is { } inner && Find(content, inner) is { } found)
            {
                return found;
            }
        }

        return isExternal ? location : null;
    }

    private static Message? Inner(Message message, int field) => (message, field) switch
    {
        (Message.Model, 7) or (Message.Attribute, 6 or 11) => Message.Graph,
        (Message.Model, 25) => Message.Function,
        (Message.Graph, 1) or (Message.Function, 7) => Message.Node,
        (Message.Function, 11) or (Message.Node, 5) => Message.Attribute,
        (Message.Graph, 15) or (Message.Attribute, 22 or 23) => Message.SparseTensor,
        (Message.Graph, 5) or (Message.Attribute, 5 or 10) or (Message.SparseTensor, 1 or 2) => Message.Tensor,
        _ => null,
    };

    /// <summary>The value of an entry whose key is <c>location</c>; keys come first.</summary>
    private static string? Location(ReadOnlySpan<byte> entry)
    {
        ReadOnlySpan<byte> key = [];
        while (TryReadVarint(ref entry, out var tag)
            && TryReadVarint(ref entry, out var length)
            && length <= (ulong)entry.Length)
        {
            var content = entry[..(int)length];
            entry = entry[(int)length..];
            if (tag >> 3 == 1)
            {
                key = content;
            }
            else if (key.SequenceEqual("location"u8))
            {
                return Encoding.UTF8.GetString(content);
            }
        }

        return null;
    }

    private static bool TryReadVarint(ref ReadOnlySpan<byte> bytes, out ulong value)
    {
        value = 0;
        for (var at = 0; at < Math.Min(10, bytes.Length); at++)
        {
            value |= (ulong)(bytes[at] & 0x7F) << (7 * at);
            if (bytes[at] < 0x80)
            {
                bytes = bytes[(at + 1)..];
                return true;
            }
        }

        return false;
    }
}
