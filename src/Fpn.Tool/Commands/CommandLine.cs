namespace Fpn.Tool.Commands;

/// <summary>What the command line asks for besides settings, and whether it asks for anything that is not
/// there.</summary>
/// <remarks>The framework takes settings from it and ignores the rest, so that a mistyped word would start the
/// service.</remarks>
internal static class CommandLine
{
    /// <summary>Exit status of a command that was called wrongly.</summary>
    public const int WrongUsage = 2;

    /// <summary>Version of the program.</summary>
    public static string Version { get; } =
        typeof(CommandLine).Assembly.GetName().Version?.ToString(3) ?? string.Empty;

    /// <summary>Which commands and settings there are.</summary>
    public static readonly string Help = $"""
        Fpn.Service {Version}: object detection over HTTP.

          Fpn.Service [serve] [SETTING …]        serves the models in Fpn:Models:Path until SIGTERM or Ctrl-C
          Fpn.Service {InspectCommand.Command} PACKAGE [--nodes] [--json] [SETTING …]
                                                 what a model package holds, and what runs its nodes
          Fpn.Service {HealthProbe.Command} [--urls http://localhost:8080]
                                                 whether the service that runs beside it is ready
          Fpn.Service --help | --version

        A SETTING is --urls http://0.0.0.0:8080, or --Fpn:Models:Path=models, in the environment Fpn__Models__Path.
        All of them: docs/settings.md.
        """;

    private static readonly string[] HelpWords = ["--help", "-h", "-?", "help"];
    private static readonly string[] VersionWords = ["--version", "version"];

    /// <summary>Settings of the framework that stand alone.</summary>
    private static readonly string[] Names =
    [
        "urls", "http_ports", "https_ports", "https_port", "environment", "contentRoot", "applicationName", "webroot",
        "AllowedHosts", "preferHostingUrls", "shutdownTimeoutSeconds", "captureStartupErrors", "detailedErrors",
        "suppressStatusMessages", "ForwardedHeaders_Enabled",
    ];

    /// <summary>Sections of settings: this program's and those of the framework.</summary>
    private static readonly string[] Sections = ["Fpn", "Serilog", "Logging", "Kestrel", "hostBuilder"];

    /// <summary>What to print instead of a start, if the command line asks for that.</summary>
    /// <param name="arguments">The command line.</param>
    public static string? Answer(IReadOnlyList<string> arguments) =>
        arguments.Any(HelpWords.Contains) ? Help
            : arguments.Any(VersionWords.Contains) ? Version
            : null;

    /// <summary>What is wrong with the command line of a start.</summary>
    /// <param name="arguments">The command line; values of settings are not looked at.</param>
    /// <returns>One line, or null.</returns>
    public static string? Fault(IReadOnlyList<string> arguments)
    {
        for (var index = 0; index < arguments.Count; index++)
        {
            var argument = arguments[index];
            var marks = argument.StartsWith("--", StringComparison.Ordinal) ? 2 : argument.StartsWith('/') ? 1 : 0;
            var end = argument.IndexOf('=', StringComparison.Ordinal);
            if (!IsSetting(end < 0 ? argument[marks..] : argument[marks..end]) || (marks == 0 && end < 0))
            {
                return Unknown(argument);
            }

            // Without '=' the next argument is the value.
            if (end < 0 && (++index == arguments.Count || arguments[index].StartsWith("--", StringComparison.Ordinal)))
            {
                return $"'{argument}' needs a value, such as {argument}=VALUE.";
            }
        }

        return null;
    }

    private static bool IsSetting(string key) =>
        Names.Contains(key, StringComparer.OrdinalIgnoreCase)
        || Sections.Contains(key.Split(':')[0], StringComparer.OrdinalIgnoreCase);

    private static string Unknown(string argument)
    {
        // The value may be a secret that went astray.
        var name = argument.Split('=')[0];
        string[] known =
        [
            InspectCommand.Command, HealthProbe.Command, HelpWords[0], VersionWords[0],
            .. Names.Select(setting => "--" + setting), .. Sections.Select(section => "--" + section),
        ];
        var nearest = known.MinBy(word => Distance(name, word))!;
        var hint = Distance(name, nearest) <= 3 ? $" Did you mean '{nearest}'?" : string.Empty;
        return $"Unknown argument '{name}'.{hint} --help lists the commands; "
            + "settings look like --Fpn:Models:Path=models (docs/settings.md).";
    }

    /// <summary>Letters to change, add or leave out, whatever their case (Levenshtein).</summary>
    private static int Distance(string from, string to)
    {
        var row = Enumerable.Range(0, to.Length + 1).ToArray();
        for (var i = 1; i <= from.Length; i++)
        {
            var diagonal = row[0]++;
            for (var j = 1; j <= to.Length; j++)
            {
                var isSame = char.ToLowerInvariant(from[i - 1]) == char.ToLowerInvariant(to[j - 1]);
                var changed = diagonal + (isSame ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(changed, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
