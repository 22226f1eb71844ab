using System.Runtime.InteropServices;
using System.Text;

namespace Fpn.Testing.Packages;

/// <summary>Writes ONNX graphs of a few nodes: just enough of Protocol Buffers, with onnx.proto's field
/// numbers.</summary>
internal sealed class TinyOnnx
{
    private readonly List<byte> _graph = [];

    /// <summary>Element types of onnx.proto.</summary>
    public enum Element
    {
        Float = 1,
        Int64 = 7,
    }

    /// <summary>Declares an input.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="type">Its element type.</param>
    /// <param name="dimensions">Numbers, or names of free dimensions.</param>
    public TinyOnnx Input(string name, Element type, params string[] dimensions) => Port(11, name, type, dimensions);

    /// <summary>Declares an output.</summary>
    /// <inheritdoc cref="Input"/>
    public TinyOnnx Output(string name, Element type, params string[] dimensions) => Port(12, name, type, dimensions);

    /// <summary>Adds a node.</summary>
    /// <param name="operation">The operator.</param>
    /// <param name="inputs">Names, separated by spaces.</param>
    /// <param name="output">The one output.</param>
    /// <param name="attributes">Lists of whole numbers, single whole numbers, floats, words, tensors or graphs.</param>
    public TinyOnnx Node(
        string operation, string inputs, string output, params (string Name, object Value)[] attributes)
    {
        List<byte> node = [];
        foreach (var input in inputs.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            node.AddRange(Text(1, input));
        }

        node.AddRange([.. Text(2, output), .. Text(3, output), .. Text(4, operation)]);
        foreach (var (name, value) in attributes)
        {
            node.AddRange(Message(5, [.. Text(1, name), .. value switch
            {
                long[] list => (byte[])[.. list.SelectMany(item => Number(8, item)), .. Number(20, 7)],
                float single => [.. (byte[])[(2 << 3) | 5], .. BitConverter.GetBytes(single), .. Number(20, 1)],
                byte[] tensor => [.. Message(5, tensor), .. Number(20, 4)],
                TinyOnnx graph => [.. Message(6, [.. Text(2, "nested"), .. graph._graph]), .. Number(20, 5)],
                string word => [.. Text(4, word), .. Number(20, 3)],
                _ => [.. Number(3, Convert.ToInt64(value, null)), .. Number(20, 2)],
            }]));
        }

        return Add(1, [.. node]);
    }

    /// <summary>Adds numbers that the file holds.</summary>
    public TinyOnnx Weights(string name, float[] values, params long[] shape) => Add(5, Tensor(
        name, Element.Float, shape, Message(9, MemoryMarshal.AsBytes<float>(values).ToArray())));

    /// <summary>Adds whole numbers that the file holds.</summary>
    public TinyOnnx Weights(string name, long[] values, params long[] shape) => Add(5, Tensor(
        name, Element.Int64, shape, Message(9, MemoryMarshal.AsBytes<long>(values).ToArray())));

    /// <summary>Adds numbers that another file holds, as newer exporters write them.</summary>
    /// <param name="name">Name of the tensor.</param>
    /// <param name="location">The other file, relative to the graph's.</param>
    /// <param name="offset">Where they begin in it.</param>
    /// <param name="shape">Their shape; float32.</param>
    public TinyOnnx ExternalWeights(string name, string location, long offset, params long[] shape) =>
        Add(5, ExternalTensor(name, location, offset, shape));

    /// <summary>Such numbers as an attribute's value.</summary>
    /// <inheritdoc cref="ExternalWeights"/>
    public static byte[] ExternalTensor(string name, string location, long offset, params long[] shape)
    {
        var length = 4 * shape.Aggregate(1L, (product, side) => product * side);
        return Tensor(name, Element.Float, shape,
        [
            .. Message(13, [.. Text(1, "location"), .. Text(2, location)]),
            .. Message(13, [.. Text(1, "offset"), .. Text(2, $"{offset}")]),
            .. Message(13, [.. Text(1, "length"), .. Text(2, $"{length}")]),
            .. Number(14, 1),
        ]);
    }

    /// <summary>The file.</summary>
    public byte[] ToBytes() =>
        [.. Number(1, 8), .. Message(8, [.. Text(1, string.Empty), .. Number(2, 16)]), .. Message(
            7, [.. Text(2, "tiny"), .. _graph])];

    private TinyOnnx Port(int field, string name, Element type, string[] dimensions)
    {
        var shape = dimensions.SelectMany(
            size => Message(1, long.TryParse(size, out var number) ? Number(1, number) : Text(2, size)));
        return Add(field,
            [.. Text(1, name), .. Message(2, Message(1, [.. Number(1, (long)type), .. Message(2, [.. shape])]))]);
    }

    private static byte[] Tensor(string name, Element type, long[] shape, byte[] values) =>
        [.. shape.SelectMany(side => Number(1, side)), .. Number(2, (long)type), .. Text(8, name), .. values];

    private TinyOnnx Add(int field, byte[] content)
    {
        _graph.AddRange(Message(field, content));
        return this;
    }

    private static byte[] Text(int field, string text) => Message(field, Encoding.UTF8.GetBytes(text));

    private static byte[] Message(int field, byte[] content) =>
        [.. Varint((field << 3) | 2), .. Varint(content.Length), .. content];

    private static byte[] Number(int field, long value) => [.. Varint(field << 3), .. Varint(value)];

    private static byte[] Varint(long value)
    {
        List<byte> bytes = [];
        for (var rest = (ulong)value; ; rest >>= 7)
        {
            if (rest < 0x80)
            {
                return [.. bytes, (byte)rest];
            }

            bytes.Add((byte)(rest & 0x7F | 0x80));
        }
    }
}
