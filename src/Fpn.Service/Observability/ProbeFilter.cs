using System.Diagnostics;
using OpenTelemetry;

namespace Fpn.Service.Observability;

/// <summary>Keeps the spans of probes that went well from being sent.</summary>
internal sealed class ProbeFilter : BaseProcessor<Activity>
{
    /// <summary>The source of ASP.NET Core, which creates a span for every request.</summary>
    private const string RequestSource = "Microsoft.AspNetCore";

    /// <inheritdoc/>
    public override void OnEnd(Activity data)
    {
        if (data.Source.Name == RequestSource
            && data.Status != ActivityStatusCode.Error
            && data.GetTagItem("url.path") is string path
            && ProbePaths.Contain(path))
        {
            // Later processors send recorded spans only.
            data.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        }
    }
}
