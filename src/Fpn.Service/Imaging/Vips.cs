using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Fpn.Service.Imaging;

/// <summary>The few functions of libvips that decoding needs, and its process-wide settings.</summary>
/// <remarks>
/// Variadic functions are called with nothing but the closing null, which every calling convention passes alike;
/// options travel in the option string. libvips' objects may be used by one thread at a time, different objects by
/// different threads. Licence: LGPL, linked dynamically and replaceable.
/// </remarks>
internal static unsafe partial class Vips
{
    /// <summary><c>VIPS_INTERPRETATION_sRGB</c>.</summary>
    internal const int SrgbInterpretation = 22;

    /// <summary><c>VIPS_FORMAT_UCHAR</c>.</summary>
    internal const int UnsignedByteFormat = 0;

    /// <summary>Where the font of drawn pictures is.</summary>
    internal static readonly string FontFolder = Path.Combine(AppContext.BaseDirectory, "fonts");

    private const string Library = "libvips";

    private static readonly Lazy<bool> s_initialised = new(InitialiseOnce);

    /// <summary>Loads and configures libvips; every call but the first returns at once.</summary>
    /// <exception cref="DllNotFoundException">No libvips was found.</exception>
    /// <exception cref="InvalidOperationException">libvips did not start.</exception>
    internal static void Initialise() => _ = s_initialised.Value;

    /// <summary>Bytes that libvips itself has allocated and not freed.</summary>
    internal static nuint TrackedMemory()
    {
        Initialise();
        return TrackedMemoryCore();
    }

    /// <summary>Opens an image: its header is read, its pixels are decoded by whoever asks for them first.</summary>
    /// <param name="buffer">The encoded bytes; must stay where they are until the image is released.</param>
    /// <param name="length">Their number.</param>
    /// <param name="options">Loader options as <c>[name=value,…]</c>, UTF-8, terminated by 0.</param>
    /// <param name="end">Null.</param>
    /// <returns>An image to release with <see cref="Release"/>, or 0.</returns>
    [LibraryImport(Library, EntryPoint = "vips_image_new_from_buffer")]
    internal static partial nint Open(byte* buffer, nuint length, byte* options, nint end);

    /// <summary>Columns.</summary>
    [LibraryImport(Library, EntryPoint = "vips_image_get_width")]
    internal static partial int Width(nint image);

    /// <summary>Rows.</summary>
    [LibraryImport(Library, EntryPoint = "vips_image_get_height")]
    internal static partial int Height(nint image);

    /// <summary>Channels, alpha included.</summary>
    [LibraryImport(Library, EntryPoint = "vips_image_get_bands")]
    internal static partial int Bands(nint image);

    /// <summary>The number type of a channel, a <c>VipsBandFormat</c>.</summary>
    [LibraryImport(Library, EntryPoint = "vips_image_get_format")]
    internal static partial int BandFormat(nint image);

    /// <summary>EXIF orientation, 1 … 8; 1 where there is none.</summary>
    [LibraryImport(Library, EntryPoint = "vips_image_get_orientation")]
    internal static partial int Orientation(nint image);

    /// <summary>Reads a text property; <paramref name="value"/> belongs to the image. 0 on success.</summary>
    [LibraryImport(Library, EntryPoint = "vips_image_get_string", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int GetText(nint image, string name, out byte* value);

    /// <summary>Converts to a colour space, 0 on success; <paramref name="end"/> is null.</summary>
    [LibraryImport(Library, EntryPoint = "vips_colourspace")]
    internal static partial int ConvertColours(nint image, out nint result, int space, nint end);

    /// <summary>Runs the pipeline; the pixels are to be freed with <see cref="Free"/>. 0 on failure.</summary>
    [LibraryImport(Library, EntryPoint = "vips_image_write_to_memory")]
    internal static partial nint WriteToMemory(nint image, out nuint length);

    /// <summary>Gives up a reference to an image.</summary>
    [LibraryImport(Library, EntryPoint = "g_object_unref")]
    internal static partial void Release(nint image);

    /// <summary>Memory that <see cref="Free"/> takes back, or 0 when there is none.</summary>
    [LibraryImport(Library, EntryPoint = "g_try_malloc")]
    internal static partial nint Allocate(nuint length);

    /// <summary>Frees memory that the library allocated for the caller.</summary>
    [LibraryImport(Library, EntryPoint = "g_free")]
    internal static partial void Free(nint memory);

    private static bool InitialiseOnce()
    {
        NativeLibrary.SetDllImportResolver(typeof(Vips).Assembly, VipsLocator.Resolve);
        // Damaged images make libvips warn on standard error; whoever sent them is told in the response.
        _ = SetLogHandler(&IgnoreLogMessage, 0);
        // Read by fontconfig, which would otherwise look through the system's fonts and write caches of them.
        VipsDrawing.SetEnvironmentDefault("FONTCONFIG_FILE", Path.Combine(FontFolder, "fonts.conf"));
        if (Start("Fpn.Service") != 0)
        {
            throw new InvalidOperationException($"libvips did not start: {Marshal.PtrToStringUTF8(ErrorText())}");
        }

        // Requests run in parallel already, and no two need the same operation.
        SetConcurrency(1);
        SetMaxCachedOperations(0);
        // Its error texts are one buffer for the whole process: never read, so better never written.
        ClearErrors();
        FreezeErrors();
        AllowLoaders();
        return true;
    }

    /// <summary>Blocks every loader but those of the served formats, and these but from memory.</summary>
    private static void AllowLoaders()
    {
        BlockUntrusted(1);
        BlockOperation("VipsForeignLoad", 1);
        foreach (var loader in (ReadOnlySpan<string>)["Jpeg", "Png", "Webp", "Nsgif", "Tiff", "Heif"])
        {
            BlockOperation($"VipsForeignLoad{loader}Buffer", 0);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void IgnoreLogMessage(byte* domain, int level, byte* message, nint context)
    {
        // The message is dropped; see where the handler is set.
    }

    [LibraryImport(Library, EntryPoint = "vips_init", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Start(string program);

    [LibraryImport(Library, EntryPoint = "vips_concurrency_set")]
    private static partial void SetConcurrency(int threads);

    [LibraryImport(Library, EntryPoint = "vips_cache_set_max")]
    private static partial void SetMaxCachedOperations(int count);

    [LibraryImport(Library, EntryPoint = "vips_block_untrusted_set")]
    private static partial void BlockUntrusted(int block);

    [LibraryImport(Library, EntryPoint = "vips_operation_block_set", StringMarshalling = StringMarshalling.Utf8)]
    private static partial void BlockOperation(string name, int block);

    [LibraryImport(Library, EntryPoint = "vips_error_buffer")]
    private static partial nint ErrorText();

    [LibraryImport(Library, EntryPoint = "vips_error_clear")]
    private static partial void ClearErrors();

    [LibraryImport(Library, EntryPoint = "vips_error_freeze")]
    private static partial void FreezeErrors();

    [LibraryImport(Library, EntryPoint = "vips_tracked_get_mem")]
    private static partial nuint TrackedMemoryCore();

    [LibraryImport(Library, EntryPoint = "g_log_set_default_handler")]
    private static partial nint SetLogHandler(delegate* unmanaged[Cdecl]<byte*, int, byte*, nint, void> handler, nint context);
}
