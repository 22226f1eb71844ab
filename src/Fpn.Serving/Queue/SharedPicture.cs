using Fpn.Imaging.Pixels;

namespace Fpn.Serving.Queue;

/// <summary>A decoded picture that the views of one request share; freed, with its share of the memory budget, when the
/// last of them has let go.</summary>
/// <remarks>Thread-safe. The creator holds it first; every <see cref="Hold"/> and the creator's own hold end with one
/// <see cref="Dispose"/> each.</remarks>
/// <param name="image">The picture; owned.</param>
/// <param name="lease">Its share of the memory budget; owned. Null where there is none.</param>
internal sealed class SharedPicture(DecodedImage image, IDisposable? lease) : IDisposable
{
    private int _holds = 1;

    /// <summary>The pixels; valid while the caller holds the picture.</summary>
    public DecodedImage Image { get; } = image;

    /// <summary>Holds the picture once more; only while it is held.</summary>
    /// <returns>The picture.</returns>
    public SharedPicture Hold()
    {
        Interlocked.Increment(ref _holds);
        return this;
    }

    /// <summary>Lets go once.</summary>
    public void Dispose()
    {
        if (Interlocked.Decrement(ref _holds) == 0)
        {
            Image.Dispose();
            lease?.Dispose();
        }
    }
}
