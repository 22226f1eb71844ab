using Fpn.Tool.Commands;

namespace Fpn.Service.Commands;

/// <summary>The command line: commands that end at once, and mistakes.</summary>
internal static class ServiceCommands
{
    /// <summary>The first argument where SageMaker starts the service; it starts without it as well.</summary>
    public const string Serve = "serve";

    /// <summary>Runs the command that the command line asks for, or refuses a wrong command line.</summary>
    /// <param name="args">The whole command line.</param>
    /// <returns>The exit status; null when the service is to start.</returns>
    public static async Task<int?> RunAsync(string[] args)
    {
        var program = CommandProgram.Service;
        if (await ToolCommands.RunAsync(program, args) is { } status)
        {
            return status;
        }

        if (CommandLine.FindFault(args is [Serve, .. var settings] ? settings : args, program) is not { } fault)
        {
            return null;
        }

        await Console.Error.WriteLineAsync(fault);
        return CommandLine.WrongUsage;
    }
}
