using System.Reflection;
using System.Runtime.InteropServices;

namespace Fpn.Service.Imaging;

/// <summary>Finds libvips: the copy beside the service, or else the system's.</summary>
internal static class VipsLocator
{
    /// <summary>Resolves imports of <c>libvips</c>; other names are left to the runtime.</summary>
    /// <exception cref="DllNotFoundException">There is no libvips in either place.</exception>
    internal static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        if (name != "libvips")
        {
            return 0;
        }

        // The file name carries the release (libvips-cpp.so.8.18.7): found by pattern, an upgrade needs no code.
        var (pattern, system) =
            OperatingSystem.IsWindows() ? ("libvips-42.dll", "libvips-42.dll")
            : OperatingSystem.IsMacOS() ? ("libvips-cpp.*dylib", "libvips.42.dylib")
            : ("libvips-cpp.so*", "libvips.so.42");
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory, pattern).Order(StringComparer.Ordinal))
        {
            if (NativeLibrary.TryLoad(file, out var bundled))
            {
                return bundled;
            }
        }

        return NativeLibrary.TryLoad(system, out var installed)
            ? installed
            : throw new DllNotFoundException(
                $"libvips is missing: neither {pattern} in {AppContext.BaseDirectory} nor {system} of the system can be loaded.");
    }
}
