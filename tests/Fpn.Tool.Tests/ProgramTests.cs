using System.Text.Json.Nodes;
using Fpn.Testing.Running;
using Fpn.Tool.Commands;

namespace Fpn.Tool.Tests;

/// <summary>The tool as its own process, from its own folder, as <c>./fpn</c> starts it.</summary>
public sealed class ProgramTests
{
    /// <summary>The service's settings lie beside the service only, and those that it ships change nothing.</summary>
    [Fact]
    public async Task Inspect_ToolAndService_ReportTheSame()
    {
        Assert.False(File.Exists(Path.Combine(Path.GetDirectoryName(Programs.Tool)!, "appsettings.json")));
        Assert.True(File.Exists(Path.Combine(Path.GetDirectoryName(Programs.Service)!, "appsettings.json")));
        string[] arguments = [InspectArguments.Command, "blood-cells", "--json", "--nodes"];
        var tool = ReadReport(await Programs.RunToolAsync(Checkout.Models, arguments));
        var service = ReadReport(await Programs.RunServiceAsync(Checkout.Models, arguments));
        Assert.Equal("blood-cells", (string?)tool["name"]);
        Assert.True(JsonNode.DeepEquals(service, tool), $"{service}\n{tool}");
    }

    [Fact]
    public async Task Healthcheck_ReadyService_Ends0()
    {
        using var service = new RunningService();
        Assert.Equal((0, "Ready.\n", string.Empty), await CheckAsync(service.Address.ToString()));
    }

    [Fact]
    public async Task Healthcheck_NoService_Ends1()
    {
        var (code, output, errors) = await CheckAsync($"http://127.0.0.1:{FreePort.Find()}");
        Assert.Equal((1, string.Empty), (code, output));
        Assert.StartsWith("Not ready: ", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Healthcheck_UnknownArgument_Ends2()
    {
        var (code, output, errors) = await RunAsync(HealthProbe.Command, "--url", "http://127.0.0.1:8080");
        Assert.Equal((2, string.Empty), (code, output));
        Assert.Equal(
            "Unknown argument '--url'. Did you mean '--urls'? fpn --help shows the commands, and what settings look "
            + "like.\n",
            errors);
    }

    [Fact]
    public async Task Inspect_WrongUsage_Ends2()
    {
        var (code, output, errors) = await RunAsync(InspectArguments.Command);
        Assert.Equal((2, string.Empty), (code, output));
        Assert.StartsWith("usage: fpn inspect PACKAGE", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("serve", "Unknown command 'serve'. fpn --help ")]
    [InlineData("inspct", "Unknown command 'inspct'. Did you mean 'inspect'? fpn --help ")]
    [InlineData("--Fpn:Keys:Json=secret", "Unknown command '--Fpn:Keys:Json'. fpn --help ")]
    public async Task Run_UnknownCommand_Ends2WithAHint(string command, string expected)
    {
        var (code, output, errors) = await RunAsync(command);
        Assert.Equal((2, string.Empty), (code, output));
        Assert.StartsWith(
            expected,
            Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_NoCommand_Ends2WithHelp() =>
        Assert.Equal((2, string.Empty, CommandProgram.Tool.Help + "\n"), await RunAsync());

    [Fact]
    public async Task Help_Asked_IsPrinted() =>
        Assert.Equal((0, CommandProgram.Tool.Help + "\n", string.Empty), await RunAsync("--help"));

    /// <summary>The script has the text too, since it answers without building the tool.</summary>
    [Fact]
    public async Task Help_AskedOfTheScript_IsTheSame() => Assert.Equal(
        (0, (CommandProgram.Tool with { Name = "./fpn" }).Help + "\n", string.Empty),
        await ProgramRun.RunAsync(Path.GetTempPath(), "bash", Path.Combine(Checkout.Root, "fpn"), "--help"));

    [Fact]
    public async Task Version_Asked_IsPrinted()
    {
        var (code, output, errors) = await RunAsync("--version");
        Assert.Equal((0, string.Empty), (code, errors));
        Assert.Matches(@"^\d+\.\d+\.\d+\n$", output);
    }

    private static Task<(int Code, string Output, string Errors)> CheckAsync(string address) =>
        RunAsync(HealthProbe.Command, "--urls", address);

    private static async Task<(int Code, string Output, string Errors)> RunAsync(params string[] arguments) =>
        await Programs.RunToolAsync(Path.GetTempPath(), arguments);

    /// <summary>The report, without what was measured.</summary>
    private static JsonObject ReadReport((int Code, string Output, string Errors) run)
    {
        Assert.Equal((0, string.Empty), (run.Code, run.Errors));
        var report = JsonNode.Parse(run.Output)!.AsObject();
        var runtime = report["runtime"]!.AsObject();
        Assert.True(runtime.Remove("loadSeconds") && runtime.Remove("loadedBytes"));
        return report;
    }
}
