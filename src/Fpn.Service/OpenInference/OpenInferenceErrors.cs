using System.Net.Mime;
using Fpn.Service.Problems;

namespace Fpn.Service.OpenInference;

/// <summary>Writes failures below <c>/v2</c> as the Open Inference Protocol wants them.</summary>
internal sealed class OpenInferenceErrors : IProblemForm
{
    /// <inheritdoc/>
    public bool Covers(HttpContext context) => OpenInferenceRegistration.Speaks(context.Request.Path);

    /// <inheritdoc/>
    public Task WriteAsync(Problem problem, HttpContext context) => context.Response.WriteAsJsonAsync(
        new ErrorResponse(ErrorResponse.TextFor(problem, ProblemResult.TraceId(context))),
        OpenInferenceJsonContext.Readable.ErrorResponse,
        MediaTypeNames.Application.Json,
        CancellationToken.None);
}
