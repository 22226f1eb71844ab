namespace Fpn.Tool.Commands;

/// <summary>What the command line asks for besides settings, and what is wrong with it.</summary>
/// <remarks>The framework takes settings from it and ignores the rest, so that a mistyped word would start the
/// service.</remarks>
internal static class CommandLine
{
    /// <summary>Exit status of a command that was called wrongly.</summary>
    public const int WrongUsage = 2;

    /// <summary>Version of the programs, which are released together.</summary>
    public static string Version { get; } =
        typeof(CommandLine).Assembly.GetName().Version?.ToString(3) ?? string.Empty;

    /// <summary>How to ask for what <see cref="FindAnswer"/> returns.</summary>
    public static CommandUsage Usage { get; } = new("--help | --version", "prints this text, or the version");

    private const string VersionOption = "--version";
    private static readonly string[] HelpOptions = ["--help", "-h", "-?"];

    /// <summary>Settings of the framework that stand alone.</summary>
    private static readonly string[] Settings =
    [
        "urls", "http_ports", "https_ports", "https_port", "environment", "contentRoot", "applicationName", "webroot",
        "AllowedHosts", "preferHostingUrls", "shutdownTimeoutSeconds", "captureStartupErrors", "detailedErrors",
        "suppressStatusMessages", "ForwardedHeaders_Enabled",
    ];

    /// <summary>Sections of settings: the service's own and those of the framework.</summary>
    private static readonly string[] Sections = ["Fpn", "Serilog", "Logging", "Kestrel", "hostBuilder"];

    /// <summary>Returns the text that the command line asks for: help or the version.</summary>
    /// <param name="arguments">The whole command line.</param>
    /// <param name="program">The program that it starts.</param>
    /// <returns>Null when it asks for neither.</returns>
    public static string? FindAnswer(IReadOnlyList<string> arguments, CommandProgram program)
    {
        // Later ones may be a folder, or the value of a setting, of that name.
        var word = arguments.Count > 0 ? arguments[0] : null;
        return word == "help" || arguments.Any(HelpOptions.Contains) ? program.Help
            : word == "version" || arguments.Contains(VersionOption) ? Version
            : null;
    }

    /// <summary>Checks that there are only settings, with values.</summary>
    /// <param name="arguments">Arguments after the command, if there is one; values are not checked.</param>
    /// <param name="program">The program that they start.</param>
    /// <returns>What is wrong, in one line; null when nothing is.</returns>
    public static string? FindFault(IReadOnlyList<string> arguments, CommandProgram program)
    {
        for (var index = 0; index < arguments.Count; index++)
        {
            var argument = arguments[index];
            var marks = argument.StartsWith("--", StringComparison.Ordinal) ? 2 : argument.StartsWith('/') ? 1 : 0;
            var end = argument.IndexOf('=', StringComparison.Ordinal);
            if (!IsSetting(end < 0 ? argument[marks..] : argument[marks..end]) || (marks == 0 && end < 0))
            {
                return DescribeUnknown("argument", argument, program);
            }

            // Without '=' the next argument is the value.
            if (end < 0 && (++index == arguments.Count || arguments[index].StartsWith("--", StringComparison.Ordinal)))
            {
                return $"'{argument}' needs a value, such as {argument}=VALUE.";
            }
        }

        return null;
    }

    /// <summary>Says in one line that something is unknown, and what may have been meant.</summary>
    /// <param name="kind">What it was taken for: an argument or a command.</param>
    /// <param name="argument">What the command line says.</param>
    /// <param name="program">The program that it starts.</param>
    public static string DescribeUnknown(string kind, string argument, CommandProgram program)
    {
        // Only the name: the value may be a secret in the wrong place.
        var name = argument.Split('=')[0];
        var nearest = Spelling.FindNearest(name,
        [
            InspectArguments.Command, HealthProbe.Command, HelpOptions[0], VersionOption,
            .. Settings.Select(setting => "--" + setting), .. Sections.Select(section => "--" + section),
        ]);
        var hint = nearest is null ? string.Empty : $" Did you mean '{nearest}'?";
        return $"Unknown {kind} '{name}'.{hint} {program.Name} --help shows the commands, and what settings look like.";
    }

    private static bool IsSetting(string key) =>
        Settings.Contains(key, StringComparer.OrdinalIgnoreCase)
        || Sections.Contains(key.Split(':')[0], StringComparer.OrdinalIgnoreCase);
}
