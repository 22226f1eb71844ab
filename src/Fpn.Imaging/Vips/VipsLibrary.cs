using System.Runtime.InteropServices;
using NetVips;

namespace Fpn.Imaging.Vips;

/// <summary>Loads libvips and makes it safe for untrusted files.</summary>
/// <remarks>The package loads its library on first use, from the folder of its platform beside the service, or else
/// from the system. License: LGPL, linked dynamically and replaceable.</remarks>
internal static partial class VipsLibrary
{
    /// <summary>The folder of the font for drawn pictures.</summary>
    internal static readonly string FontFolder = Path.Combine(AppContext.BaseDirectory, "fonts");

    private static readonly Lazy<bool> s_initialized = new(InitializeOnce);

    /// <summary>Loads and configures libvips; every call but the first returns at once.</summary>
    /// <exception cref="DllNotFoundException">No libvips was found.</exception>
    /// <exception cref="InvalidOperationException">libvips did not start.</exception>
    internal static void Initialize() => _ = s_initialized.Value;

    /// <summary>Bytes that libvips itself has allocated and not freed.</summary>
    internal static long TrackedBytes()
    {
        Initialize();
        return (uint)Stats.Mem;
    }

    private static bool InitializeOnce()
    {
        // Before libvips is first used. fontconfig reads it; otherwise it would search the system's fonts and write
        // caches of them. A program that brings no font draws nothing, and keeps its own setting.
        var fonts = Path.Combine(FontFolder, "fonts.conf");
        if (File.Exists(fonts))
        {
            SetNativeVariable("FONTCONFIG_FILE", fonts);
        }

        Configure();
        return true;
    }

    /// <summary>A separate method, so that nothing of the package is used earlier.</summary>
    private static void Configure()
    {
        if (!ModuleInitializer.VipsInitialized)
        {
            throw ModuleInitializer.Exception as DllNotFoundException
                ?? (Exception)new InvalidOperationException("libvips did not start.", ModuleInitializer.Exception);
        }

        // Damaged images make it warn on standard error; the response says so anyway.
        foreach (var domain in (ReadOnlySpan<string?>)[null, "VIPS", "GLib", "GLib-GObject", "Pango"])
        {
            Log.SetLogHandler(domain, Enums.LogLevelFlags.All, (_, _, _) => { });
        }

        // Requests already run in parallel, and never share an operation.
        NetVips.NetVips.Concurrency = 1;
        Cache.Max = 0;

        // Blocks every loader except those of the supported formats, and those except from memory.
        NetVips.NetVips.BlockUntrusted = true;
        Operation.Block("VipsForeignLoad", true);
        foreach (var loader in (ReadOnlySpan<string>)["Jpeg", "Png", "Webp", "Nsgif", "Tiff", "Heif"])
        {
            Operation.Block($"VipsForeignLoad{loader}Buffer", false);
        }

        // Reads regions; a source is memory too.
        Operation.Block("VipsForeignLoadTiffSource", false);
    }

    /// <summary>
    /// Sets a variable that native code reads, unless it is set: on Unix .NET keeps its own copy of the environment.
    /// </summary>
    private static void SetNativeVariable(string name, string value)
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = SetVariable(name, value, overwrite: 0);
        }
        else if (Environment.GetEnvironmentVariable(name) is null)
        {
            Environment.SetEnvironmentVariable(name, value);
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetVariable(string name, string value, int overwrite);
}
