using System.Globalization;
using Fpn.Service.Detect;
using Fpn.Service.OpenInference;
using Fpn.Service.Problems;
using Fpn.Service.Wire;
using Fpn.Serving.Lanes;
using Microsoft.Net.Http.Headers;

namespace Fpn.Service.Compatibility.SageMaker;

/// <summary>
/// <c>POST /invocations</c>: an image is a request to <c>/detect</c>, JSON one to <c>/v2/models/{model}/infer</c>.
/// </summary>
internal sealed class InvocationEndpoint(LaneRegistry lanes, DetectionEndpoint detection, InferEndpoint inference)
{
    private const string ModelParameter = "model";

    /// <summary>What SageMaker passes of the client's own; other headers and the query do not arrive.</summary>
    private const string Attributes = "X-Amzn-SageMaker-Custom-Attributes";

    /// <summary>Triton's type of JSON with binary data behind it, since its header would not arrive.</summary>
    private const string BinaryType = "application/vnd.sagemaker-triton.binary+json";

    private const string BinaryLength = "json-header-size";

    /// <summary>Answers one request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="model">The model that its path names; null where the custom attributes may.</param>
    public async Task<IResult> HandleAsync(HttpContext context, string? model = null)
    {
        var request = context.Request;

        // Text without '=' is an id by which a client finds its request again, as AWS suggests.
        var attributes = request.Headers[Attributes].ToString();
        if (attributes.Contains('=', StringComparison.Ordinal))
        {
            request.QueryString = new QueryString("?" + attributes);
        }

        if (model is not null)
        {
            request.QueryString = request.QueryString.Add(ModelParameter, model);
        }

        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !IsJson(type))
        {
            return await detection.HandleAsync(context);
        }

        var unfit = request.Query.FirstOrDefault(item => item.Key != ModelParameter || item.Value.Count != 1);
        if (unfit.Key is not null)
        {
            return new ProblemResult(Problem.BadParameter(
                unfit.Key,
                $"With JSON, '{ModelParameter}' is the one custom attribute, once; others are parameters in it."));
        }

        if (type.MediaType.Equals(BinaryType, StringComparison.OrdinalIgnoreCase))
        {
            request.Headers[ApiHeaders.JsonLength] = LengthIn(type);
            context.Response.OnStarting(() => NameLength(context.Response));
        }

        return await inference.HandleAsync(
            context, (string?)request.Query[ModelParameter] ?? lanes.DefaultModel, version: null);
    }

    private static bool IsJson(MediaTypeHeaderValue type) =>
        type.SubType.Equals("json", StringComparison.OrdinalIgnoreCase)
        || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase);

    private static string LengthIn(MediaTypeHeaderValue type) => type.Parameters
        .FirstOrDefault(parameter => parameter.Name.Equals(BinaryLength, StringComparison.OrdinalIgnoreCase))?
        .GetUnescapedValue().ToString() ?? "";

    /// <summary>Moves the length of the JSON to where clients of SageMaker look for it.</summary>
    private static Task NameLength(HttpResponse response)
    {
        if (response.Headers[ApiHeaders.JsonLength] is [{ } length])
        {
            response.ContentType = string.Create(
                CultureInfo.InvariantCulture, $"{BinaryType};{BinaryLength}={length}");
            response.Headers.Remove(ApiHeaders.JsonLength);
        }

        return Task.CompletedTask;
    }
}
