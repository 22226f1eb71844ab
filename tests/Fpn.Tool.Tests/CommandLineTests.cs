using Fpn.Tool.Commands;

namespace Fpn.Tool.Tests;

/// <summary>What the command line asks for, and the texts of both programs.</summary>
public sealed class CommandLineTests
{
    [Fact]
    public void Help_Tool_NamesFpn() => Assert.Equal(
        """
        fpn looks into model packages, and asks whether the service is ready. ./run.sh starts the service.

          fpn inspect PACKAGE [--nodes] [--json] [SETTING …]
              prints what the package holds, a folder with a model.json, and what runs its nodes
          fpn healthcheck [--urls http://localhost:8080]
              says whether the service on this machine is ready
          fpn --help | --version
              prints this text, or the version

        A SETTING is --Fpn:Execution:Provider=cpu, in the environment Fpn__Execution__Provider, or another one of
        Execution and Cuda. All of them: docs/settings.md.
        """,
        CommandProgram.Tool.Help);

    /// <summary>The same commands, after what the service does without one.</summary>
    [Fact]
    public void Help_Service_NamesFpnService()
    {
        var lines = CommandProgram.Service.Help.Split('\n');
        Assert.Equal("Fpn.Service finds objects in images, over HTTP.", lines[0]);
        Assert.Equal("  Fpn.Service [serve] [SETTING …]", lines[2]);
        Assert.Equal(
            CommandProgram.Tool.Help.Split('\n')[2..8],
            lines[4..10].Select(line => line.Replace("Fpn.Service ", "fpn ", StringComparison.Ordinal)));
    }

    /// <summary>Later words may be a folder, or the value of a setting.</summary>
    [Theory]
    [InlineData("inspect", "help")]
    [InlineData("inspect", "version")]
    [InlineData("--Fpn:Models:Default", "version")]
    [InlineData]
    public void FindAnswer_WordsOfOtherMeaning_IsNull(params string[] arguments) =>
        Assert.Null(CommandLine.FindAnswer(arguments, CommandProgram.Service));

    [Theory]
    [InlineData("help")]
    [InlineData("-h")]
    [InlineData("-?")]
    [InlineData("inspect", "models/pets", "--help")]
    public void FindAnswer_Help_IsTheProgramsOwn(params string[] arguments) =>
        Assert.Equal(CommandProgram.Tool.Help, CommandLine.FindAnswer(arguments, CommandProgram.Tool));

    [Theory]
    [InlineData("version")]
    [InlineData("--version")]
    [InlineData("healthcheck", "--version")]
    public void FindAnswer_Version_IsReturned(params string[] arguments) =>
        Assert.Equal(CommandLine.Version, CommandLine.FindAnswer(arguments, CommandProgram.Tool));
}
