using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;

namespace Fpn.Tool.Commands;

/// <summary><c>healthcheck</c>: asks the service on the same machine, or in the same container, whether it is
/// ready.</summary>
/// <remarks>Containers start it every few seconds, so it builds no host and loads no model.</remarks>
internal static partial class HealthProbe
{
    /// <summary>The command.</summary>
    public const string Command = "healthcheck";

    /// <summary>How to use it.</summary>
    public static CommandUsage Usage { get; } = new(
        $"{Command} [--urls http://localhost:8080]", "says whether the service on this machine is ready");

    /// <summary>Less than container engines give a check, so that it can still print the reason.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Asks once, and prints one line: that the service is ready, or why it is not.</summary>
    /// <param name="program">The program that was started.</param>
    /// <param name="arguments">
    /// What follows <see cref="Command"/>: the addresses, unless the environment gives them.
    /// </param>
    /// <returns>
    /// 0 when the service is ready; 1 when it is not, does not answer, or has no address to ask; 2 when the arguments
    /// are wrong.
    /// </returns>
    public static async Task<int> RunAsync(CommandProgram program, string[] arguments)
    {
        if (CommandLine.FindFault(arguments, program) is { } fault)
        {
            await Console.Error.WriteLineAsync(fault);
            return CommandLine.WrongUsage;
        }

        var configuration = new ConfigurationBuilder()
            .AddEnvironmentVariables("ASPNETCORE_")
            .AddEnvironmentVariables("DOTNET_")
            .AddCommandLine(arguments)
            .Build();
        Uri? address;
        try
        {
            address = FindAddress(configuration);
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException)
        {
            var given = configuration["urls"] is { Length: > 0 } urls ? urls : configuration["http_ports"];
            await Console.Error.WriteLineAsync(
                $"Not ready: '{given}' is not an address to ask: {exception.Message.ReplaceLineEndings(" ")}");
            return 1;
        }

        if (address is null)
        {
            await Console.Error.WriteLineAsync("Not ready: no http address in 'urls' or 'http_ports' to ask.");
            return 1;
        }

        using var client = new HttpClient { Timeout = Patience };
        try
        {
            using var answer = await client.GetAsync(new Uri(address, "health/ready"));
            await Console.Out.WriteLineAsync(
                answer.IsSuccessStatusCode ? "Ready." : $"Not ready: {(int)answer.StatusCode} from {address}.");
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException)
        {
            await Console.Error.WriteLineAsync($"Not ready: {address} does not answer: {exception.Message}");
            return 1;
        }
    }

    /// <summary>
    /// Finds where the service listens, as seen from the same machine, by the rules of ASP.NET Core: <c>urls</c> goes
    /// before <c>http_ports</c>.
    /// </summary>
    /// <returns>The first http address with a port; null when there is none.</returns>
    /// <exception cref="FormatException">An address is not valid.</exception>
    internal static Uri? FindAddress(IConfiguration configuration)
    {
        var urls = configuration["urls"] is { Length: > 0 } given ? given
            : configuration["http_ports"] is { Length: > 0 } ports
                ? string.Join(';', ports.Split(';').Select(port => $"http://*:{port}"))
            : "http://localhost:5000";
        foreach (var url in urls.Split(';'))
        {
            // '+', '*' and the unspecified addresses stand for every interface, the loopback one included.
            var address = new Uri(EveryInterface().Replace(url.Trim(), "$1localhost"));
            if (address.Scheme == Uri.UriSchemeHttp && !address.Host.Equals("unix", StringComparison.OrdinalIgnoreCase))
            {
                return new UriBuilder(Uri.UriSchemeHttp, address.Host, address.Port).Uri;
            }
        }

        return null;
    }

    [GeneratedRegex(@"^(https?://)(\*|\+|0\.0\.0\.0|\[::\])(?=[:/]|$)", RegexOptions.IgnoreCase)]
    private static partial Regex EveryInterface();
}
