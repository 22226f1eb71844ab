namespace Fpn.Service.Observability;

/// <summary>Paths that are requested every few seconds: they get no log line and no trace unless they fail.</summary>
internal static class ProbePaths
{
    /// <summary>The path of metrics.</summary>
    public const string Metrics = "/metrics";

    /// <summary>The path above the health checks.</summary>
    public const string Health = "/health";

    /// <summary>The path above the health checks of the Open Inference Protocol.</summary>
    private const string OpenInferenceHealth = "/v2/health";

    /// <summary>Whether a path is one of them.</summary>
    public static bool Contain(PathString path) =>
        path.StartsWithSegments(Health)
        || path.StartsWithSegments(OpenInferenceHealth)
        || path.StartsWithSegments(Metrics);
}
