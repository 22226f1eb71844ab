using System.Runtime.InteropServices;
using NetVips;

namespace Fpn.Imaging.Vips;

/// <summary>Loads libvips and makes it safe for files of strangers.</summary>
/// <remarks>The package loads its library at the first touch, from the folder of its platform beside the service, or
/// else the system's. Licence: LGPL, linked dynamically and replaceable.</remarks>
internal static partial class VipsLibrary
{
    /// <summary>Where the font of drawn pictures is.</summary>
    internal static readonly string FontFolder = Path.Combine(AppContext.BaseDirectory, "fonts");

    private static readonly Lazy<bool> s_initialised = new(InitialiseOnce);

    /// <summary>Loads and configures libvips; every call but the first returns at once.</summary>
    /// <exception cref="DllNotFoundException">No libvips was found.</exception>
    /// <exception cref="InvalidOperationException">libvips did not start.</exception>
    internal static void Initialise() => _ = s_initialised.Value;

    /// <summary>Bytes that libvips itself has allocated and not freed.</summary>
    internal static long TrackedBytes()
    {
        Initialise();
        return (uint)Stats.Mem;
    }

    private static bool InitialiseOnce()
    {
        // Before libvips is touched. Read by fontconfig, which would otherwise look through the system's fonts and
        // write caches of them. A program that brings no font draws nothing, and keeps its own setting.
        var fonts = Path.Combine(FontFolder, "fonts.conf");
        if (File.Exists(fonts))
        {
            SetNativeVariable("FONTCONFIG_FILE", fonts);
        }

        Configure();
        return true;
    }

    /// <summary>Apart, so that nothing of the package is touched any earlier.</summary>
    private static void Configure()
    {
        if (!ModuleInitializer.VipsInitialized)
        {
            throw ModuleInitializer.Exception as DllNotFoundException
                ?? (Exception)new InvalidOperationException("libvips did not start.", ModuleInitializer.Exception);
        }

        // Damaged images make it warn on standard error; whoever sent them is told in the response.
        foreach (var domain in (ReadOnlySpan<string?>)[null, "VIPS", "GLib", "GLib-GObject", "Pango"])
        {
            Log.SetLogHandler(domain, Enums.LogLevelFlags.All, (_, _, _) => { });
        }

        // Requests run in parallel already, and no two need the same operation.
        NetVips.NetVips.Concurrency = 1;
        Cache.Max = 0;

        // Every loader but those of the served formats, and these but from memory.
        NetVips.NetVips.BlockUntrusted = true;
        Operation.Block("VipsForeignLoad", true);
        foreach (var loader in (ReadOnlySpan<string>)["Jpeg", "Png", "Webp", "Nsgif", "Tiff", "Heif"])
        {
            Operation.Block($"VipsForeignLoad{loader}Buffer", false);
        }
    }

    /// <summary>Sets a variable as native code sees it, unless it is set: on Unix .NET keeps its own copy of them.</summary>
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
