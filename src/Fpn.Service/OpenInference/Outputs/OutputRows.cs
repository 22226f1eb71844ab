using Fpn.Detection.Geometry;
using Fpn.Models.Packages;

namespace Fpn.Service.OpenInference.Outputs;

/// <summary>What the images of a request gave: rows, image by image, each image's in the order of the answer.</summary>
/// <param name="contract">The model that gave it.</param>
/// <param name="images">N.</param>
/// <param name="count">Rows of all images together.</param>
internal abstract class OutputRows(ModelContract contract, int images, int count)
{
    /// <summary>The model that gave it.</summary>
    public ModelContract Contract { get; } = contract;

    /// <summary>N.</summary>
    public int Images { get; } = images;

    /// <summary>Rows of all images together.</summary>
    public int Count { get; } = count;

    /// <summary>Writes the numbers of an output.</summary>
    /// <param name="tensor">One of the outputs that these rows have.</param>
    /// <param name="sink">Takes <see cref="Count"/> × width numbers.</param>
    public abstract void Write<TSink>(OutputTensor tensor, ref TSink sink)
        where TSink : INumberSink, allows ref struct;

    /// <summary>Bytes of an output in the binary form.</summary>
    public int SizeOf(OutputTensor tensor) => Count * tensor.Width() * tensor.ElementSize();

    /// <summary>Writes an output in the binary form.</summary>
    /// <param name="tensor">One of the outputs that these rows have.</param>
    /// <param name="destination">At least as many bytes as <see cref="SizeOf"/> says.</param>
    public void WriteBytes(OutputTensor tensor, Span<byte> destination)
    {
        var bytes = new NumberBytes(destination);
        Write(tensor, ref bytes);
    }

    /// <summary>Writes a row of boxes.</summary>
    protected static void Add<TSink>(Box box, ref TSink sink)
        where TSink : INumberSink, allows ref struct
    {
        sink.Add(box.X1);
        sink.Add(box.Y1);
        sink.Add(box.X2);
        sink.Add(box.Y2);
    }
}
