namespace Fpn.Service.Observability;

/// <summary>Paths that are asked every few seconds for ever: worth no log line and no trace unless they fail.</summary>
internal static class ProbePaths
{
    /// <summary>Where metrics are.</summary>
    public const string Metrics = "/metrics";

    /// <summary>Below it is the state of health.</summary>
    public const string Health = "/health";

    /// <summary>Below it is the state of health once more, for clients of the Open Inference Protocol.</summary>
    private const string OpenInferenceHealth = "/v2/health";

    /// <summary>Whether a path is one of them.</summary>
    public static bool Contain(PathString path) =>
        path.StartsWithSegments(Health) || path.StartsWithSegments(OpenInferenceHealth) || path.StartsWithSegments(Metrics);
}
