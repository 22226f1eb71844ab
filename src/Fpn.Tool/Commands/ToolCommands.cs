namespace Fpn.Tool.Commands;

/// <summary>The commands that both programs have: <c>fpn</c>, and the service for containers that hold nothing
/// else.</summary>
internal static class ToolCommands
{
    /// <summary>Runs the command that the command line asks for.</summary>
    /// <param name="arguments">The whole command line.</param>
    /// <returns>The exit status; null when it asks for none of these commands.</returns>
    public static async Task<int?> RunAsync(string[] arguments)
    {
        if (CommandLine.Answer(arguments) is { } answer)
        {
            await Console.Out.WriteLineAsync(answer);
            return 0;
        }

        return arguments switch
        {
            [HealthProbe.Command, .. var options] => await HealthProbe.RunAsync(options),
            [InspectCommand.Command, .. var inspected] =>
                await InspectCommand.RunAsync(inspected, Console.Out, Console.Error),
            _ => null,
        };
    }
}
