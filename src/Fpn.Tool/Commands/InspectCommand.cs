using System.Diagnostics;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Loading;
using Fpn.Models.Options;
using Fpn.Models.Packages;
using Fpn.Settings;
using Fpn.Tool.Reports;
using Microsoft.Extensions.Configuration;

namespace Fpn.Tool.Commands;

/// <summary>
/// <c>Fpn.Service inspect PACKAGE</c>: loads a package as the service would, and prints what it holds and which
/// execution provider runs each node.
/// </summary>
internal static class InspectCommand
{
    /// <summary>The first argument that asks for it.</summary>
    public const string Command = "inspect";

    private const int Wrong = 1;

    private static readonly JsonSerializerOptions JsonOptions = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        WriteIndented = true,

        // It goes to a terminal or a program, not into a page.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Prints the report.</summary>
    /// <param name="arguments">What follows <see cref="Command"/>: <see cref="InspectArguments.Usage"/>.</param>
    /// <param name="output">Where the report goes.</param>
    /// <param name="errors">Where the reason goes when there is none.</param>
    /// <returns>0; 1 when the package or a setting is wrong, as at a start; 2 when the arguments are.</returns>
    public static async Task<int> RunAsync(string[] arguments, TextWriter output, TextWriter errors)
    {
        if (InspectArguments.Parse(arguments) is not { } parsed)
        {
            await errors.WriteLineAsync(InspectArguments.Usage);
            return CommandLine.WrongUsage;
        }

        try
        {
            var report = Inspect(parsed);
            await output.WriteLineAsync(
                parsed.IsJson ? JsonSerializer.Serialize(report, JsonOptions) : ReportText.Of(report));
            return 0;
        }
#pragma warning disable CA1031 // Whatever it is, a person reads it: one line, and no dump.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            await errors.WriteLineAsync(StartFailure.Reason(exception));
            return Wrong;
        }
    }

    private static PackageReport Inspect(InspectArguments arguments)
    {
        // The service's own sources of settings, from where the service is: the folder that this runs in may be any.
        var configuration = new ConfigurationBuilder()
            .SetBasePath(AppContext.BaseDirectory)
            .AddJsonFile("appsettings.json", optional: true)
            .AddEnvironmentVariables()
            .AddCommandLine(arguments.Settings)
            .Build();
        var (execution, cuda) = (new ExecutionOptions(), new CudaOptions());
        SettingsReader.Read(configuration.GetSection("Fpn:Execution"), execution);
        SettingsReader.Read(configuration.GetSection("Fpn:Cuda"), cuda);

        // Also the manifest itself, and with the slash that completion adds.
        var named = Path.GetFileName(arguments.Package) == ModelManifestReader.FileName
            ? Path.GetDirectoryName(arguments.Package)
            : arguments.Package;
        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(named is { Length: > 0 } ? named : "."));
        var contract = ModelManifestReader.Read(folder);
        var device = ExecutionDevice.Open(execution, cuda);
        var before = Environment.WorkingSet;
        var started = Stopwatch.GetTimestamp();
        using var detector = ModelPackages.Open(contract, device);
        var runtime = new RuntimeReport(
            OnnxEnvironment.Version,
            device.Description.ProviderName,
            device.Description.Name,
            device.Description.Reason,
            Math.Round(Stopwatch.GetElapsedTime(started).TotalSeconds, 3),
            Math.Max(0, Environment.WorkingSet - before));
        return PackageReport.Of(detector, folder, runtime, arguments.WithNodes);
    }
}
