using Fpn.Tool.Commands;

if (await ToolCommands.RunAsync(args) is { } status)
{
    return status;
}

await Console.Error.WriteLineAsync(
    args.Length == 0 ? CommandLine.Help : $"Unknown command '{args[0]}'; --help lists them.");
return CommandLine.WrongUsage;
