using System.Runtime.InteropServices;
using Fpn.Settings;

namespace Fpn.Service.Connections;

/// <summary>Whether the process may open as many files and connections as its settings allow.</summary>
internal static partial class FileDescriptors
{
    /// <summary>
    /// What the service holds besides connections: assemblies, libraries, graphs, logs. 256 were open after a start with
    /// one model on Linux, 278 while eight requests ran.
    /// </summary>
    private const int Own = 384;

    private const int OpenFiles = 7;

    /// <summary>Refuses a start that would run out of file descriptors under load.</summary>
    /// <param name="connections">Connections at one time.</param>
    /// <exception cref="SettingsException">There are too few.</exception>
    public static void Require(int connections)
    {
        if (OperatingSystem.IsLinux() && GetLimit(OpenFiles, out var limit) == 0)
        {
            Require(connections, limit.Current);
        }
    }

    /// <inheritdoc cref="Require(int)"/>
    /// <param name="connections">Connections at one time.</param>
    /// <param name="available">File descriptors that the process may have.</param>
    internal static void Require(int connections, ulong available)
    {
        var needed = (ulong)connections + Own;
        if (available < needed)
        {
            throw new SettingsException(
                $"Setting 'Fpn:Connections:Max' is {connections}, which takes {needed} file descriptors with the service's "
                + $"own, but the process may have {available}: raise the limit (ulimit -n, LimitNOFILE), or lower the setting.");
        }
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, out Limit limit);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Limit
    {
        public readonly ulong Current;
        public readonly ulong Maximum;
    }
}
