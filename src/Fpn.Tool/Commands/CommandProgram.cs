namespace Fpn.Tool.Commands;

/// <summary>A program that has the commands, as its texts name it.</summary>
/// <param name="Name">What people type to start it.</param>
/// <param name="Purpose">What it does: a sentence without its subject, the name.</param>
/// <param name="Starts">What it does without a command.</param>
/// <param name="Settings">Which settings it takes, and how.</param>
internal sealed record CommandProgram(
    string Name, string Purpose, IReadOnlyList<CommandUsage> Starts, string Settings)
{
    /// <summary>What <c>./fpn</c> runs.</summary>
    public static CommandProgram Tool { get; } = new(
        "fpn",
        "looks into model packages, and asks whether the service is ready. ./run.sh starts the service.",
        [],
        """
        A SETTING is --Fpn:Execution:Provider=cpu, in the environment Fpn__Execution__Provider, or another one of
        Execution and Cuda. All of them: docs/settings.md.
        """);

    /// <summary>The service, the only program in its container images.</summary>
    public static CommandProgram Service { get; } = new(
        "Fpn.Service",
        "finds objects in images, over HTTP.",
        [new("[serve] [SETTING …]", "serves the models in Fpn:Models:Path until SIGTERM or Ctrl-C")],
        """
        A SETTING is --urls http://0.0.0.0:8080, or --Fpn:Models:Path=models, in the environment Fpn__Models__Path.
        All of them: docs/settings.md.
        """);

    /// <summary>All commands, and how to use them: several lines, without the end of the last.</summary>
    public string Help
    {
        get
        {
            CommandUsage[] usages = [.. Starts, InspectArguments.Usage, HealthProbe.Usage, CommandLine.Usage];
            var lines = usages.Select(usage => $"  {Name} {usage.Arguments}\n      {usage.Effect}");
            return $"{Name} {Purpose}\n\n{string.Join('\n', lines)}\n\n{Settings}";
        }
    }
}
