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
/// <c>inspect PACKAGE</c>: loads a package as the service would, and prints what it holds and which execution provider
/// runs each node.
/// </summary>
internal static class InspectCommand
{
    private const int Wrong = 1;

    private static readonly JsonSerializerOptions JsonOptions = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        WriteIndented = true,

        // The text goes to a terminal or a program, not into a page.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Prints the report.</summary>
    /// <param name="program">The program that was started.</param>
    /// <param name="arguments">What follows the command, as <see cref="InspectArguments.Usage"/> says.</param>
    /// <param name="output">Where the report goes.</param>
    /// <param name="errors">Where the reason goes when there is no report.</param>
    /// <returns>0; 1 when the package or a setting is wrong, as at a start; 2 when the arguments are wrong.</returns>
    public static async Task<int> RunAsync(
        CommandProgram program, string[] arguments, TextWriter output, TextWriter errors)
    {
        if (InspectArguments.Parse(arguments) is not { } parsed)
        {
            await errors.WriteLineAsync(
                $"usage: {program.Name} {InspectArguments.Usage.Arguments} ({program.Name} --help says more)");
            return CommandLine.WrongUsage;
        }

        try
        {
            var report = Inspect(parsed);
            await output.WriteLineAsync(
                parsed.IsJson ? JsonSerializer.Serialize(report, JsonOptions) : ReportText.Format(report));
            return 0;
        }
#pragma warning disable CA1031 // A person reads the reason, whatever it is: one line, and no dump.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            await errors.WriteLineAsync(StartFailure.Describe(exception));
            return Wrong;
        }
    }

    private static PackageReport Inspect(InspectArguments arguments)
    {
        var (execution, cuda) = ReadSettings(arguments.Settings);
        var folder = FindFolder(arguments.Package);
        var contract = VersionFolders.ReadPackage(folder);
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
        return PackageReport.Create(detector, folder, runtime, arguments.WithNodes);
    }

    /// <summary>Reads the same sources as the service. Its file lies beside its program, whichever folder this runs in;
    /// the tool has none.</summary>
    private static (ExecutionOptions Execution, CudaOptions Cuda) ReadSettings(string[] arguments)
    {
        var configuration = new ConfigurationBuilder()
            .SetBasePath(AppContext.BaseDirectory)
            .AddJsonFile("appsettings.json", optional: true)
            .AddEnvironmentVariables()
            .AddCommandLine(arguments)
            .Build();
        var (execution, cuda) = (new ExecutionOptions(), new CudaOptions());
        SettingsReader.Read(configuration.GetSection("Fpn:Execution"), execution);
        SettingsReader.Read(configuration.GetSection("Fpn:Cuda"), cuda);
        return (execution, cuda);
    }

    /// <summary>Finds the package's full path. People may name the manifest itself, and completion adds a slash to a
    /// folder.</summary>
    private static string FindFolder(string package)
    {
        var named = Path.GetFileName(package) == ModelManifestReader.FileName
            ? Path.GetDirectoryName(package)
            : package;
        return Path.TrimEndingDirectorySeparator(Path.GetFullPath(named is { Length: > 0 } ? named : "."));
    }
}
