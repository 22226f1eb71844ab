using System.Diagnostics;
using System.Runtime.InteropServices;
using Fpn.Testing.Running;

namespace Fpn.Deployment.Tests;

/// <summary>
/// A program of an image, run as container engines run it with <c>--read-only --cap-drop ALL --security-opt
/// no-new-privileges</c>: the image's own environment, user and folder, its file system as the root, not writable.
/// </summary>
internal sealed partial class ContainerProcess : IDisposable
{
    private const int Terminate = 15;

    /// <summary>
    /// Each mount is this process' own and goes with it. The chain replaces itself to the end: its id is the service's.
    /// </summary>
    private const string Script =
        """
        set -e
        root=$1 folder=$2 user=$3 group=$4
        shift 4
        mount --bind "$root" "$root"
        mount -o remount,bind,ro "$root"
        mount -t proc proc "$root/proc"
        mount -t sysfs -o ro sysfs "$root/sys"
        mount -t tmpfs -o mode=755 tmpfs "$root/dev"
        mknod -m 666 "$root/dev/null" c 1 3
        mknod -m 666 "$root/dev/zero" c 1 5
        mknod -m 666 "$root/dev/urandom" c 1 9
        mount -o remount,ro "$root/dev"
        exec setpriv --clear-groups --no-new-privs --bounding-set=-all,+sys_chroot,+setuid,+setgid \
          unshare --root "$root" --wd "$folder" --setgid "$group" --setuid "$user" "$@"
        """;

    private readonly Process _process;
    private readonly Task<string> _errors;

    /// <summary>Starts it.</summary>
    /// <param name="root">The image's files.</param>
    /// <param name="image">How it is run.</param>
    /// <param name="command">The program and its arguments.</param>
    /// <param name="environment">Variables that differ from the image's.</param>
    public ContainerProcess(string root, ImageConfiguration image, IEnumerable<string> command,
        params (string Name, string Value)[] environment)
    {
        var user = image.User.Split(':');
        var start = new ProcessStartInfo(
            "/usr/bin/unshare",
            ["--mount", "--propagation", "private", "/bin/sh", "-c", Script, "sh", root, image.WorkingDir, user[0],
                user[1], .. command])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin";
        foreach (var variable in image.Environment)
        {
            var (name, value) = (variable[..variable.IndexOf('=', StringComparison.Ordinal)],
                variable[(variable.IndexOf('=', StringComparison.Ordinal) + 1)..]);
            start.Environment[name] = value;
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start) ?? throw new InvalidOperationException("unshare did not start.");
        Output = new OutputLines(_process.StandardOutput);
        _errors = _process.StandardError.ReadToEndAsync();
    }

    /// <summary>What it prints.</summary>
    public OutputLines Output { get; }

    /// <summary>What the kernel says about it: <c>status</c> or <c>mountinfo</c>.</summary>
    public Task<string[]> ReadProcAsync(string file) =>
        File.ReadAllLinesAsync($"/proc/{_process.Id}/{file}", TestContext.Current.CancellationToken);

    /// <summary>Asks it to end.</summary>
    public void SendTerminate() => Assert.Equal(0, Kill(_process.Id, Terminate));

    /// <summary>Waits for its end.</summary>
    /// <returns>Exit code and standard error.</returns>
    public async Task<(int Code, string Errors)> WaitForExitAsync()
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(2));
        await Output.End;
        return (_process.ExitCode, await _errors);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
