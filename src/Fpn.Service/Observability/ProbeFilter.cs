using System.Diagnostics;
using OpenTelemetry;

namespace Fpn.Service.Observability;

/// <summary>Keeps the spans of probes that went well from being sent.</summary>
internal sealed class ProbeFilter : BaseProcessor<Activity>
{
    /// <inheritdoc/>
    public override void OnEnd(Activity data)
    {
        if (data.Source.Name == RequestSpan.SourceName
            && data.Status != ActivityStatusCode.Error
            && data.GetTagItem("url.path") is string path
            && ProbePaths.Contain(path))
        {
            // Later processors send recorded spans only.
            data.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        }
    }
}
