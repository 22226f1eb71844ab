using Fpn.Testing.Running;

namespace Fpn.Service.Tests.OpenApi;

/// <summary>The linter of OpenAPI documents, with the project's rules.</summary>
internal static class DocumentLint
{
    /// <summary>The folder of the rules, and of the programs that check documents.</summary>
    public static string Checks { get; } = Path.Combine(Checkout.Root, "tests", "OpenApi");

    /// <summary>The programs.</summary>
    public static string Programs { get; } = Path.Combine(Checks, "node_modules", ".bin");

    /// <summary>Skips a test where the programs are absent.</summary>
    public static void SkipWithoutPrograms() =>
        Assert.SkipUnless(Directory.Exists(Programs), "tests/OpenApi/node_modules is absent: test.sh installs it.");

    /// <summary>Lints a file.</summary>
    /// <returns>0 when it is clean, and what the linter says.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(string file)
    {
        var (exitCode, output, errors) = await ProgramRun.RunAsync(
            Checks,
            Path.Combine(Programs, "spectral"),
            "lint",
            "--ruleset",
            "spectral.yaml",
            "--fail-severity",
            "hint",
            file);
        return (exitCode, output + errors);
    }
}
