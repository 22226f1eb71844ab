using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Settings;

/// <summary>Words on the service's command line that are not settings.</summary>
public sealed class CommandLineTests
{
    [Theory]
    [InlineData("--foo", "Unknown argument '--foo'.")]
    [InlineData("--url=http://+:80", "Unknown argument '--url'. Did you mean '--urls'?")]
    [InlineData("inspct", "Unknown argument 'inspct'. Did you mean 'inspect'?")]
    [InlineData("HealthCheck", "Unknown argument 'HealthCheck'. Did you mean 'healthcheck'?")]
    [InlineData("--hlep", "Unknown argument '--hlep'. Did you mean '--help'?")]
    [InlineData("-v", "Unknown argument '-v'.")]
    [InlineData("Serve", "Unknown argument 'Serve'.")]
    [InlineData("models", "Unknown argument 'models'.")]
    [InlineData("--Models:Path=x", "Unknown argument '--Models:Path'.")]
    [InlineData("--Fpn:Models:Path", "'--Fpn:Models:Path' needs a value")]
    public async Task Run_UnknownArgument_Ends2WithAHint(string argument, string expected)
    {
        var (code, output, errors) = await RunAsync(argument);
        Assert.Equal((2, string.Empty), (code, output));
        var line = Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.StartsWith(expected, line, StringComparison.Ordinal);
        if (expected.StartsWith("Unknown", StringComparison.Ordinal))
        {
            Assert.EndsWith(
                " Fpn.Service --help shows the commands, and what settings look like.", line, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("help")]
    [InlineData("inspect", "--help")]
    [InlineData("healthcheck", "--help")]
    public async Task Help_ListsCommandsAndWhereSettingsAre(params string[] arguments)
    {
        var (code, output, errors) = await RunAsync(arguments);
        Assert.Equal((0, string.Empty), (code, errors));
        Assert.All(
            (string[])
            [
                "  Fpn.Service [serve] [SETTING …]\n", "  Fpn.Service inspect PACKAGE",
                "  Fpn.Service healthcheck [--urls",
                "--urls http://0.0.0.0:8080", "docs/settings.md",
            ],
            words => Assert.Contains(words, output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Version_IsTheServices()
    {
        var (code, output, _) = await RunAsync("--version");
        Assert.Equal(0, code);
        Assert.Matches(@"^\d+\.\d+\.\d+\n$", output);
    }

    private static Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] arguments) =>
        ProgramRun.RunAsync(
            AppContext.BaseDirectory,
            "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "Fpn.Service.dll"), .. arguments]);
}
