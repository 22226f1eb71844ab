using System.Text;

namespace Fpn.Testing.Packages;

/// <summary>Changes ONNX files without a library: just enough of Protocol Buffers to find names, and to
/// append.</summary>
/// <remarks>
/// Field numbers are those of onnx.proto. Messages that are written one after the other are read as one, their repeated
/// fields joined: nodes are added by appending a second, small <c>ModelProto</c>.
/// </remarks>
internal static class OnnxEdit
{
    private const int ModelGraph = 7;
    private const int GraphNode = 1;
    private const int GraphInitializer = 5;
    private const int NodeInput = 1;
    private const int NodeOutput = 2;
    private const int NodeName = 3;
    private const int NodeOperator = 4;
    private const int TensorType = 2;
    private const int TensorName = 8;
    private const int TensorRawData = 9;
    private const int LengthDelimited = 2;

    /// <summary>Adds a number to every value of an output, so that NaN or an infinity takes it over.</summary>
    /// <param name="model">The file.</param>
    /// <param name="output">An output of the graph, float32, that no node reads.</param>
    /// <param name="value">What to add.</param>
    /// <param name="where">An input [N, C, H, W], and the width at which it is added; at every width without.</param>
    /// <returns>The changed file.</returns>
    public static byte[] AddToOutput(byte[] model, string output, float value, (string Input, long Width)? where = null)
    {
        var changed = model.ToArray();
        var renamed = "~" + output[1..];
        Encoding.ASCII.GetBytes(renamed, changed.AsSpan(FindNodeOutput(model, output)));
        byte[] added = [.. Node("Add", output, renamed, "~added"), .. Scalar(
            where is null ? "~added" : "~value", 1, BitConverter.GetBytes(value))];
        if (where is var (input, width))
        {
            added =
            [
                .. Node("Shape", "~shape", input), .. Node("Gather", "~width", "~shape", "~axis"), .. Node(
                    "Equal", "~is", "~width", "~wanted"),
                .. Node("Where", "~added", "~is", "~value", "~zero"), .. added,
                .. Scalar("~axis", 7, BitConverter.GetBytes(3L)), .. Scalar(
                    "~wanted", 7, BitConverter.GetBytes(width)), .. Scalar("~zero", 1, BitConverter.GetBytes(0f)),
            ];
        }

        return [.. changed, .. Bytes(ModelGraph, added)];

        static byte[] Node(string operation, string output, params ReadOnlySpan<string> inputs)
        {
            List<byte> node = [];
            foreach (var input in inputs)
            {
                node.AddRange(Text(NodeInput, input));
            }

            return Bytes(GraphNode, [.. node, .. Text(NodeOutput, output), .. Text(NodeOperator, operation)]);
        }

        static byte[] Scalar(string name, byte type, byte[] value) =>
            Bytes(GraphInitializer, [TensorType << 3, type, .. Text(TensorName, name), .. Bytes(TensorRawData, value)]);
    }

    /// <summary>Gives a tensor another name of the same length, wherever it is named.</summary>
    public static byte[] Rename(byte[] model, string from, string to)
    {
        Assert.Equal(from.Length, to.Length);
        var changed = model.ToArray();
        var (old, @new) = (Encoding.ASCII.GetBytes(from), Encoding.ASCII.GetBytes(to));
        var found = 0;
        for (var at = changed.AsSpan().IndexOf(old); at >= 0; at = changed.AsSpan().IndexOf(old))
        {
            @new.CopyTo(changed, at);
            found++;
        }

        Assert.True(found > 0, $"'{from}' is not in the file.");
        return changed;
    }

    /// <summary>Name and operator of every node outside nested graphs, in the file's order.</summary>
    public static IReadOnlyList<(string Name, string Operator)> Nodes(byte[] model)
    {
        var nodes = new List<(string Name, string Operator)>();
        foreach (var graph in Fields(model, 0, model.Length, ModelGraph))
        {
            foreach (var node in Fields(model, graph.Start, graph.End, GraphNode))
            {
                nodes.Add((Word(node, NodeName), Word(node, NodeOperator)));
            }
        }

        return nodes;

        string Word((int Start, int End) node, int number)
        {
            var (start, end) = Fields(model, node.Start, node.End, number).FirstOrDefault();
            return Encoding.UTF8.GetString(model, start, end - start);
        }
    }

    /// <summary>Where the name of an output begins in the node that computes it.</summary>
    private static int FindNodeOutput(byte[] model, string output)
    {
        foreach (var graph in Fields(model, 0, model.Length, ModelGraph))
        {
            foreach (var node in Fields(model, graph.Start, graph.End, GraphNode))
            {
                foreach (var name in Fields(model, node.Start, node.End, NodeOutput))
                {
                    if (Encoding.UTF8.GetString(model, name.Start, name.End - name.Start) == output)
                    {
                        return name.Start;
                    }
                }
            }
        }

        throw new InvalidOperationException($"No node computes '{output}'.");
    }

    /// <summary>The places of a message's length-delimited fields of one number.</summary>
    private static IEnumerable<(int Start, int End)> Fields(byte[] bytes, int start, int end, int number)
    {
        while (start < end)
        {
            var tag = ReadVarint(bytes, ref start);
            switch (tag & 7)
            {
                case 0:
                    ReadVarint(bytes, ref start);
                    break;
                case 1:
                    start += 8;
                    break;
                case LengthDelimited:
                    var length = (int)ReadVarint(bytes, ref start);
                    if (tag >> 3 == (ulong)number)
                    {
                        yield return (start, start + length);
                    }

                    start += length;
                    break;
                case 5:
                    start += 4;
                    break;
                default:
                    throw new InvalidOperationException($"Wire type {tag & 7} at byte {start}.");
            }
        }
    }

    private static ulong ReadVarint(byte[] bytes, ref int at)
    {
        var value = 0UL;
        for (var shift = 0; ; shift += 7)
        {
            var next = bytes[at++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }
    }

    private static byte[] Text(int field, string text) => Bytes(field, Encoding.ASCII.GetBytes(text));

    private static byte[] Bytes(int field, byte[] content)
    {
        var length = new List<byte>();
        for (var rest = content.Length; ; rest >>= 7)
        {
            if (rest < 0x80)
            {
                length.Add((byte)rest);
                break;
            }

            length.Add((byte)(rest & 0x7F | 0x80));
        }

        return [(byte)((field << 3) | LengthDelimited), .. length, .. content];
    }
}
