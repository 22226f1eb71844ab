using System.Security;
using Fpn.Detection.Geometry;
using Fpn.Imaging.Pixels;
using Fpn.Imaging.Vips;
using NetVips;

namespace Fpn.Imaging.Painting;

/// <summary>Draws boxes with captions into pictures and encodes them.</summary>
/// <remarks>
/// Thread-safe; a call works on its own thread. A box is a band in the color of its class, within the pixels that the
/// box touches, with a dark line around it; the caption stands above the box, or inside it where there is no room
/// above. Band and text grow with the picture. Only the pixels of the original file are kept.
/// </remarks>
internal sealed class DetectionPainter
{
    private const string FontFamily = "DejaVu Sans Bold";
    private const int SmallestFont = 10;
    private const int LongestCaption = 60;

    /// <summary>Plates that must fit one below the other; in a smaller picture none is drawn.</summary>
    private const int LeastPlates = 4;

    private readonly string _fontFile;

    /// <summary>Checks that the font is there and writes with it once.</summary>
    /// <param name="fonts">The folder with the font.</param>
    /// <exception cref="FileNotFoundException">The font is missing.</exception>
    /// <exception cref="InvalidOperationException">libvips cannot write text.</exception>
    /// <exception cref="DllNotFoundException">No libvips was found.</exception>
    internal DetectionPainter(string fonts)
    {
        _fontFile = Path.Combine(fonts, "DejaVuSans-Bold.ttf");
        if (!File.Exists(_fontFile))
        {
            throw new FileNotFoundException($"{_fontFile} is missing.");
        }

        VipsLibrary.Initialize();
        using var mask = WriteText("0", SmallestFont)
            ?? throw new InvalidOperationException("libvips cannot write text: it was built without Pango.");
    }

    /// <summary>Draws into a picture's own pixels and encodes it.</summary>
    /// <param name="image">The picture, which is drawn into.</param>
    /// <param name="objects">Best first; the best is drawn last, over the others.</param>
    /// <param name="encoding">PNG or JPEG; a JPEG holds 65,500 pixels a side at most.</param>
    /// <returns>The file, which the caller disposes.</returns>
    /// <exception cref="InvalidOperationException">libvips could not encode it.</exception>
    public unsafe EncodedPicture Paint(
        DecodedImage image, IReadOnlyList<PaintedObject> objects, PictureEncoding encoding)
    {
        var size = image.Size;
        var pixels = image.WritablePixels;
        var scale = Math.Sqrt(size.Area);
        var band = Math.Max(1, (int)Math.Round(scale / 280));
        var canvas = new PixelCanvas(pixels, size);
        for (var i = objects.Count - 1; i >= 0; i--)
        {
            var box = Cover(objects[i], size);
            canvas.Frame(box.Grow(Outline(band)), Outline(band), ClassColors.Outline);
            canvas.Frame(box, band, ClassColors.ColorFor(objects[i].Class));
        }

        var font = Math.Max(SmallestFont, (int)Math.Round(scale / 40));
        for (var i = objects.Count - 1; i >= 0; i--)
        {
            DrawCaption(canvas, size, objects[i], font, band);
        }

        fixed (byte* start = pixels)
        {
            using var wrapped = Image.NewFromMemory(
                (nint)start, (ulong)pixels.Length, size.Width, size.Height, 3, Enums.BandFormat.Uchar);
            return Encode(wrapped, encoding);
        }
    }

    /// <summary>The pixels that a box touches, at least one.</summary>
    internal static PixelRectangle Cover(PaintedObject painted, ImageSize size)
    {
        var left = Math.Clamp((int)MathF.Floor(painted.Box.X1), 0, size.Width - 1);
        var top = Math.Clamp((int)MathF.Floor(painted.Box.Y1), 0, size.Height - 1);
        var right = Math.Clamp((int)MathF.Ceiling(painted.Box.X2), left + 1, size.Width);
        var bottom = Math.Clamp((int)MathF.Ceiling(painted.Box.Y2), top + 1, size.Height);
        return new PixelRectangle(left, top, right, bottom);
    }

    private static int Outline(int band) => Math.Max(1, band / 3);

    /// <summary>
    /// Places the plate of a caption: above the box, or from its upper edge down; never outside the picture.
    /// </summary>
    /// <param name="box">The pixels of the box.</param>
    /// <param name="outline">Width of the dark line between box and plate, in pixels.</param>
    /// <param name="width">Width of the plate; one wider than the picture is cut at the right.</param>
    /// <param name="height">Height of the plate; at most that of the picture.</param>
    /// <param name="size">Size of the picture.</param>
    internal static PixelRectangle PlaceCaption(PixelRectangle box, int outline, int width, int height, ImageSize size)
    {
        var above = box.Top - outline - height;
        var top = above >= 0 ? above : Math.Min(box.Top, size.Height - height);
        var left = Math.Max(0, Math.Min(box.Left, size.Width - width));
        return new PixelRectangle(left, top, Math.Min(left + width, size.Width), top + height);
    }

    private void DrawCaption(PixelCanvas canvas, ImageSize size, PaintedObject painted, int font, int band)
    {
        using var mask = WriteText(painted.Caption, font);
        if (mask is null)
        {
            // Only spaces, or characters that Pango refuses; the box is drawn anyway.
            return;
        }

        var padding = Math.Max(2, font / 5);
        var (width, height) = (mask.Width + 2 * padding, Math.Max(font, mask.Height) + 2 * padding);
        if (LeastPlates * height > size.Height || LeastPlates * font > size.Width)
        {
            // In a picture this small the letters would hide the object.
            return;
        }

        var plate = PlaceCaption(Cover(painted, size), Outline(band), width, height, size);
        canvas.Frame(plate.Grow(Outline(band)), Outline(band), ClassColors.Outline);
        canvas.Fill(plate, ClassColors.ColorFor(painted.Class));
        DrawText(canvas, mask, plate.Left + padding, plate.Top + (height - mask.Height) / 2);
    }

    private static unsafe void DrawText(PixelCanvas canvas, Image mask, int left, int top)
    {
        var ink = mask.WriteToMemory(out var length);
        try
        {
            var shares = new ReadOnlySpan<byte>((void*)ink, checked((int)length));
            canvas.Ink(shares, mask.Width, left, top, ClassColors.Outline);
        }
        finally
        {
            NetVips.NetVips.Free(ink);
        }
    }

    /// <summary>Renders one line of text; at the default of 72 dots an inch a point is a pixel.</summary>
    /// <returns>A mask of one 8-bit band, cut to the ink, which the caller disposes; null where there is no
    /// ink.</returns>
    private Image? WriteText(string caption, int font)
    {
        var shown = caption.Length <= LongestCaption ? caption : $"{caption.AsSpan(0, LongestCaption - 1)}…";
        try
        {
            return Image.Text(SecurityElement.Escape(shown), font: $"{FontFamily} {font}", fontfile: _fontFile);
        }
        catch (VipsException)
        {
            return null;
        }
    }

    private static EncodedPicture Encode(Image image, PictureEncoding encoding)
    {
        // On photographs the filter saves a sixth of the bytes at no cost; levels above 3 save little and take long.
        var suffix = encoding == PictureEncoding.Png
            ? ".png[compression=3,filter=sub,keep=none]"
            : ".jpg[Q=90,subsample-mode=off,keep=none]";
        try
        {
            return new EncodedPicture(image.WriteToBuffer(suffix));
        }
        catch (VipsException exception)
        {
            throw new InvalidOperationException($"libvips could not encode a {encoding} picture.", exception);
        }
    }
}
