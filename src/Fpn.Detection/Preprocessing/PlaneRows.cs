using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;

namespace Fpn.Detection.Preprocessing;

/// <summary>The three planes of one image in the tensor, written row by row as floats, which become halves where the
/// tensor holds halves.</summary>
/// <remarks>Halves are rounded from a row of scratch that stays in the cache: no plane of floats is made.</remarks>
internal readonly unsafe struct PlaneRows
{
    private readonly byte* _image;
    private readonly float* _scratch;
    private readonly ImageSize _padded;

    /// <param name="image">[3, H, W] float32 or float16 values.</param>
    /// <param name="type">Which of the two.</param>
    /// <param name="padded">H × W.</param>
    /// <param name="scratch"><see cref="ScratchLength"/> floats.</param>
    internal PlaneRows(byte* image, PixelType type, ImageSize padded, float* scratch)
    {
        _image = image;
        _padded = padded;
        _scratch = type == PixelType.Float16 ? scratch : null;
    }

    /// <summary>Computes the floats of scratch that a row needs before it becomes halves; a multiple of the
    /// lanes.</summary>
    internal static int ScratchLength(PixelType type, ImageSize padded) =>
        type == PixelType.Float16 ? Scratch.RoundUp(padded.Width) : 0;

    /// <summary>Returns where to write the W floats of a row, before <see cref="Complete"/>.</summary>
    internal float* Begin(int plane, int y) => _scratch is null ? (float*)_image + Row(plane, y) : _scratch;

    /// <summary>Ends the row that was written at the address from <see cref="Begin"/>.</summary>
    internal void Complete(int plane, int y, bool vectorized)
    {
        if (_scratch is not null)
        {
            HalfRounding.Round(_scratch, (Half*)_image + Row(plane, y), _padded.Width, vectorized);
        }
    }

    private long Row(int plane, int y) => ((long)plane * _padded.Height + y) * _padded.Width;
}
