using System.Runtime.InteropServices;

namespace Fpn.Service.Imaging;

/// <summary>The functions of libvips that write text and encode pictures; see <see cref="Vips"/> for the
/// rules.</summary>
internal static unsafe partial class VipsDrawing
{
    private const string Library = "libvips";

    /// <summary>Writes one line of text with Pango.</summary>
    /// <param name="markup">Pango markup; not empty.</param>
    /// <param name="font">Family, style and height in pixels, such as <c>DejaVu Sans Bold 14</c>.</param>
    /// <param name="fontFile">The file that has this font.</param>
    /// <returns>A mask of one 8-bit band, cut to the ink, to release with <see cref="Vips.Release"/>; or 0.</returns>
    internal static nint WriteText(string markup, string font, string fontFile)
    {
        var operation = NewOperation("text");
        if (operation == 0)
        {
            return 0;
        }

        try
        {
            // Its default of 72 dots an inch makes a point a pixel.
            if (SetArgument(operation, "text", markup) != 0
                || SetArgument(operation, "font", font) != 0
                || SetArgument(operation, "fontfile", fontFile) != 0
                || BuildObject(operation) != 0)
            {
                return 0;
            }

            GValue value = default;
            InitialiseValue(&value, ImageType());
            GetProperty(operation, "out", &value);
            var mask = DuplicateObject(&value);
            UnsetValue(&value);
            return mask;
        }
        finally
        {
            ReleaseOutputs(operation);
            Vips.Release(operation);
        }
    }

    /// <summary>Wraps pixels [H, W, bands] of 8 bits; they must stay where they are until the image is
    /// released.</summary>
    /// <returns>An image to release with <see cref="Vips.Release"/>, or 0.</returns>
    [LibraryImport(Library, EntryPoint = "vips_image_new_from_memory")]
    internal static partial nint Wrap(byte* pixels, nuint length, int width, int height, int bands, int bandFormat);

    /// <summary>Paints ink through a mask into the image's own pixels; what lies outside is cut off. 0 on
    /// success.</summary>
    /// <param name="image">From <see cref="Wrap"/>.</param>
    /// <param name="ink">A number for each band.</param>
    /// <param name="bands">Their number.</param>
    /// <param name="mask">0 leaves the pixel, 255 replaces it, between they are blended.</param>
    /// <param name="x">Column of the mask's left edge.</param>
    /// <param name="y">Row of its upper edge.</param>
    /// <param name="end">Null.</param>
    [LibraryImport(Library, EntryPoint = "vips_draw_mask")]
    internal static partial int DrawMask(nint image, double* ink, int bands, nint mask, int x, int y, nint end);

    /// <summary>Encodes an image; the bytes are to be freed with <see cref="Vips.Free"/>. 0 on success.</summary>
    /// <param name="image">The image.</param>
    /// <param name="suffix">Format and options, such as <c>.png[compression=6]</c>.</param>
    /// <param name="bytes">The file.</param>
    /// <param name="length">Its length.</param>
    /// <param name="end">Null.</param>
    [LibraryImport(Library, EntryPoint = "vips_image_write_to_buffer", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Encode(nint image, string suffix, out nint bytes, out nuint length, nint end);

    /// <summary>Sets a variable of the process's environment as native code sees it, unless it is set.</summary>
    internal static void SetEnvironmentDefault(string name, string value) => _ = SetEnvironment(name, value, 0);

    [LibraryImport(Library, EntryPoint = "g_setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport(Library, EntryPoint = "vips_operation_new", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint NewOperation(string name);

    [LibraryImport(
        Library, EntryPoint = "vips_object_set_argument_from_string", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetArgument(nint operation, string name, string value);

    [LibraryImport(Library, EntryPoint = "vips_object_build")]
    private static partial int BuildObject(nint operation);

    [LibraryImport(Library, EntryPoint = "vips_object_unref_outputs")]
    private static partial void ReleaseOutputs(nint operation);

    [LibraryImport(Library, EntryPoint = "vips_image_get_type")]
    private static partial nuint ImageType();

    [LibraryImport(Library, EntryPoint = "g_value_init")]
    private static partial GValue* InitialiseValue(GValue* value, nuint type);

    [LibraryImport(Library, EntryPoint = "g_value_dup_object")]
    private static partial nint DuplicateObject(GValue* value);

    [LibraryImport(Library, EntryPoint = "g_value_unset")]
    private static partial void UnsetValue(GValue* value);

    [LibraryImport(Library, EntryPoint = "g_object_get_property", StringMarshalling = StringMarshalling.Utf8)]
    private static partial void GetProperty(nint target, string name, GValue* value);

    /// <summary>GLib's variant: a type and two words.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct GValue
    {
        public nuint Type;
        public long First;
        public long Second;
    }
}
