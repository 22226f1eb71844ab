namespace Fpn.Tool.Commands;

/// <summary>What follows <c>inspect</c> on the command line.</summary>
/// <param name="Package">Folder of the package, relative to the folder that the command runs in.</param>
/// <param name="IsJson">Whether the report is for programs instead of people.</param>
/// <param name="WithNodes">Whether it lists every node, not only how many there are.</param>
/// <param name="Settings">Settings of what the graphs run on, as the service takes them.</param>
internal sealed record InspectArguments(string Package, bool IsJson, bool WithNodes, string[] Settings)
{
    /// <summary>The command.</summary>
    public const string Command = "inspect";

    /// <summary>How to use it.</summary>
    public static CommandUsage Usage { get; } = new(
        $"{Command} PACKAGE [--nodes] [--json] [SETTING …]",
        "prints what the package holds, a folder with a model.json, and what runs its nodes");

    private static readonly string[] Sections = ["--Fpn:Execution:", "--Fpn:Cuda:"];

    /// <summary>Reads the arguments.</summary>
    /// <param name="arguments">What follows <see cref="Command"/>.</param>
    /// <returns>Null when they are wrong, as are settings that have no effect here.</returns>
    public static InspectArguments? Parse(IEnumerable<string> arguments)
    {
        string? package = null;
        var (isJson, withNodes) = (false, false);
        var settings = new List<string>();
        foreach (var argument in arguments)
        {
            if (argument == "--json")
            {
                isJson = true;
            }
            else if (argument == "--nodes")
            {
                withNodes = true;
            }
            else if (argument.Contains('=', StringComparison.Ordinal)
                && Array.Exists(Sections, section => argument.StartsWith(section, StringComparison.OrdinalIgnoreCase)))
            {
                settings.Add(argument);
            }
            else if (package is null && argument.Length > 0 && argument[0] != '-')
            {
                package = argument;
            }
            else
            {
                return null;
            }
        }

        return package is null ? null : new InspectArguments(package, isJson, withNodes, [.. settings]);
    }
}
