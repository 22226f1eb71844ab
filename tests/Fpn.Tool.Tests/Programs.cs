using Fpn.Testing.Running;

namespace Fpn.Tool.Tests;

/// <summary>The two programs that have the commands, each as a process of its own.</summary>
internal static class Programs
{
    /// <summary>The tool where its own project is built, and so without the service's files beside it.</summary>
    public static string Tool { get; } = Path.Combine(
        Checkout.Root,
        "src/Fpn.Tool",
        Path.GetRelativePath(Path.Combine(Checkout.Root, "tests/Fpn.Tool.Tests"), AppContext.BaseDirectory),
        "Fpn.Tool.dll");

    /// <summary>The service, with its files.</summary>
    public static string Service { get; } = Path.Combine(AppContext.BaseDirectory, "Fpn.Service.dll");

    /// <summary>Runs the tool.</summary>
    /// <param name="folder">Where it runs.</param>
    /// <param name="arguments">Its command line.</param>
    public static Task<(int ExitCode, string Output, string Errors)> RunToolAsync(
        string folder, params string[] arguments) => ProgramRun.RunAsync(folder, "dotnet", [Tool, .. arguments]);

    /// <inheritdoc cref="RunToolAsync"/>
    public static Task<(int ExitCode, string Output, string Errors)> RunServiceAsync(
        string folder, params string[] arguments) => ProgramRun.RunAsync(folder, "dotnet", [Service, .. arguments]);
}
