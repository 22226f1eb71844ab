using Fpn.Tool.Commands;

var program = CommandProgram.Tool;
if (await ToolCommands.RunAsync(program, args) is { } status)
{
    return status;
}

await Console.Error.WriteLineAsync(
    args.Length == 0 ? program.Help : CommandLine.DescribeUnknown("command", args[0], program));
return CommandLine.WrongUsage;
