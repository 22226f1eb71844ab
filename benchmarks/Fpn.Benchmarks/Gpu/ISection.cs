namespace Fpn.Benchmarks.Gpu;

/// <summary>One part of the benchmark; runs alone or after others, in one process or in one each.</summary>
internal interface ISection
{
    /// <summary>Its name on the command line and in figures.</summary>
    string Name { get; }

    /// <summary>Its heading in the report.</summary>
    string Title { get; }

    /// <summary>Measures.</summary>
    /// <param name="bench">What is measured, and with what.</param>
    /// <param name="result">
    /// Filled as measurements end, so that what fails or takes too long costs only the rest.
    /// </param>
    /// <exception cref="NotMeasurableException">This machine lacks something.</exception>
    Task RunAsync(Bench bench, SectionResult result);
}

/// <summary>A section cannot be measured on this machine, which is no fault.</summary>
/// <param name="message">What is missing.</param>
internal sealed class NotMeasurableException(string message) : Exception(message);
