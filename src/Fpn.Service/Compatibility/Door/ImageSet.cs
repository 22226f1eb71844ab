using Fpn.Service.Bodies;

namespace Fpn.Service.Compatibility.Door;

/// <summary>The images of a request: parts of its body, and those that were fetched for it.</summary>
/// <param name="count">N.</param>
internal sealed class ImageSet(int count) : IDisposable
{
    private readonly ImageBody?[] _fetched = new ImageBody?[count];

    /// <summary>[N] encoded images; valid until the set or the body is disposed.</summary>
    public ReadOnlyMemory<byte>[] Images { get; } = new ReadOnlyMemory<byte>[count];

    /// <summary>Takes an image that was fetched; the set owns it from now on.</summary>
    public void Take(int index, ImageBody fetched)
    {
        _fetched[index] = fetched;
        Images[index] = fetched.Bytes;
    }

    /// <inheritdoc/>
    public void Dispose() => Array.ForEach(_fetched, body => body?.Dispose());
}
