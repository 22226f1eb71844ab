namespace Fpn.Tool.Commands;

/// <summary>The commands that both programs have: <c>fpn</c>, and the service for container images, which hold no other
/// program.</summary>
internal static class ToolCommands
{
    /// <summary>Runs the command that the command line asks for.</summary>
    /// <param name="program">The program that was started.</param>
    /// <param name="arguments">The whole command line.</param>
    /// <returns>The exit status; null when it asks for none of these commands.</returns>
    public static async Task<int?> RunAsync(CommandProgram program, string[] arguments)
    {
        if (CommandLine.FindAnswer(arguments, program) is { } answer)
        {
            await Console.Out.WriteLineAsync(answer);
            return 0;
        }

        return arguments switch
        {
            [HealthProbe.Command, .. var options] => await HealthProbe.RunAsync(program, options),
            [InspectArguments.Command, .. var inspected] =>
                await InspectCommand.RunAsync(program, inspected, Console.Out, Console.Error),
            _ => null,
        };
    }
}
