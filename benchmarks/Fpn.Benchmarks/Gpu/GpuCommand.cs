using System.Diagnostics;

namespace Fpn.Benchmarks.Gpu;

/// <summary>
/// The GPU benchmark, section by section: <c>gpu --models DIR --out DIR …</c>; see benchmarks/gpu/README.md. Each
/// section's results are written as it ends, and the report anew from all that are in the folder.
/// </summary>
internal static class GpuCommand
{
    private static readonly ISection[] Sections =
    [
        new MachineSection(),
        new PlacementSection(),
        new ThroughputSection(),
        new ShapesSection(),
        new ParitySection(),
        new ServiceSection(),
        new StagesSection(),
        new LatencySection(),
        new MemorySection(),
        new TransfersSection(),
        new RaceSection(),
    ];

    /// <summary>Names of all sections, in their order.</summary>
    public static IEnumerable<string> AllNames => Sections.Select(section => section.Name);

    /// <summary>Runs the command.</summary>
    /// <returns>
    /// 0; 1 where a section failed; 2 where the command line is wrong; 3 where the device cannot be used.
    /// </returns>
    public static async Task<int> RunAsync(string[] args)
    {
        GpuOptions options;
        try
        {
            options = GpuOptions.Parse(args);
            if (options.Only.Except(AllNames).FirstOrDefault() is { } unknown)
            {
                throw new ArgumentException(
                    $"There is no section '{unknown}'; there are {string.Join(", ", AllNames)}.");
            }

            // Otherwise unknown names would fail every section.
            _ = options.ReportOnly ? null : new Bench(options);
        }
        catch (ArgumentException exception)
        {
            await Console.Error.WriteLineAsync(exception.Message);
            return 2;
        }

        if (options.ReportOnly)
        {
            ResultFolder.WriteReport(options.Output);
            return 0;
        }

        var (failed, deviceFailed) = (false, false);
        var wanted = Array.FindAll(Sections, section => options.Only.Count == 0 || options.Only.Contains(section.Name));
        foreach (var section in wanted)
        {
            var result = new SectionResult
            {
                Name = section.Name,
                Title = section.Title,
                Provider = options.Provider.ToString().ToLowerInvariant(),
                Quick = options.Quick,
            };

            // What a crash leaves behind says so.
            ResultFolder.Write(options.Output, result);
            ResultFolder.WriteReport(options.Output);
            await RunAsync(section, options, result);
            ResultFolder.Write(options.Output, result);
            ResultFolder.WriteReport(options.Output);
            failed |= result.State == SectionState.Failed;
            deviceFailed |= result.State == SectionState.Failed && section is MachineSection;
            var reason = result.State == SectionState.Failed ? $": {result.Notes[^1]}" : string.Empty;
            Console.WriteLine($"{section.Name}: {result.State}, {result.Seconds:F1} s{reason}");
        }

        return deviceFailed ? 3 : failed ? 1 : 0;
    }

    private static async Task RunAsync(ISection section, GpuOptions options, SectionResult result)
    {
        var begun = Stopwatch.GetTimestamp();
        try
        {
            await section.RunAsync(new Bench(options), result);
            if (result.State == SectionState.Started)
            {
                result.State = SectionState.Done;
            }
        }
        catch (NotMeasurableException exception)
        {
            result.State = SectionState.NotMeasured;
            result.Notes.Add(exception.Message);
        }
#pragma warning disable CA1031 // Whatever fails in one section must not cost the others; the report says what it was.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            result.State = SectionState.Failed;
            result.Notes.Add($"{exception.GetType().Name}: {exception.Message}");
            await Console.Error.WriteLineAsync(exception.ToString());
        }

        result.Seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }
}
