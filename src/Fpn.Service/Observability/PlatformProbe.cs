using System.Diagnostics;
using Microsoft.AspNetCore.Http.Features;

namespace Fpn.Service.Observability;

/// <summary>Readiness in the form of a hosting platform, at a path of the platform's own.</summary>
internal sealed class PlatformProbe(ReadinessCheck readiness)
{
    /// <summary>Answers an empty 200 when the service is ready, else 503 with the reason.</summary>
    /// <remarks>One that went well gets no log line and no trace, as with <see cref="ProbePaths"/>.</remarks>
    public IResult Answer(HttpContext context)
    {
        if (readiness.Obstacle is { } obstacle)
        {
            return Results.Text(obstacle, statusCode: StatusCodes.Status503ServiceUnavailable);
        }

        return AnswerYes(context);
    }

    /// <summary>Answers an empty 200: the service lives. As quiet as <see cref="Answer"/>.</summary>
    public static IResult AnswerYes(HttpContext context)
    {
        context.Features.Set(QuietProbe.Instance);
        if (context.Features.Get<IHttpActivityFeature>() is { } feature)
        {
            feature.Activity.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        }

        return Results.Ok();
    }
}

/// <summary>Marks a request that was a probe and went well.</summary>
internal sealed class QuietProbe
{
    /// <summary>The mark.</summary>
    public static readonly QuietProbe Instance = new();

    private QuietProbe()
    {
    }
}
