using Fpn.Service.Answers;
using Fpn.Service.Bodies;
using Fpn.Service.Engine;
using Fpn.Service.OpenInference.Outputs;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;

namespace Fpn.Service.OpenInference;

/// <summary><c>POST /v2/models/{model}[/versions/{version}]/infer</c>.</summary>
internal sealed class InferEndpoint(
    ServedModels models, ImageInference inference, BodyWait bodies, BodyMemory memory, LimitsOptions limits)
{
    /// <summary>Answers one request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="model">Name of the model.</param>
    /// <param name="version">The version; null for the newest.</param>
    public async Task<IResult> HandleAsync(HttpContext context, string model, string? version)
    {
        if (!models.Take(model, version).Succeeded(out var use, out var problem))
        {
            return new ProblemResult(problem);
        }

        using (use)
        {
            return (await InferAsync(context, use.Lane)).Succeeded(out var result, out problem)
                ? result
                : new ProblemResult(problem);
        }
    }

    private async Task<Outcome<InferResult>> InferAsync(HttpContext context, ModelLane lane)
    {
        if (!InferHeaders.Parse(context.Request, limits).Succeeded(out var headers, out var problem)
            || !(await bodies.ForAsync(context, token => ReadAsync(context.Request, headers, token)))
                .Succeeded(out var body, out problem))
        {
            return problem;
        }

        using (body)
        {
            var filter = new DetectionFilter(lane.Model.Contract);
            if (!Understand(body, headers, filter).Succeeded(out var wanted, out problem))
            {
                return problem;
            }

            return (await inference.InferAsync(
                    lane,
                    wanted.Images,
                    wanted.Request.Choices,
                    headers.Urgency,
                    context.Caller(),
                    context.RequestAborted))
                .Succeeded(out var rows, out problem)
                ? new InferResult(wanted.Request.Id, rows, wanted.Request.Outputs)
                : problem;
        }
    }

    private async Task<Outcome<ImageBody>> ReadAsync(
        HttpRequest request, InferHeaders headers, CancellationToken cancellationToken)
    {
        var read = await ImageBody.ReadAsync(
            request.Body,
            request.ContentLength,
            headers.MostBytes(limits),
            headers.TooLarge,
            memory,
            cancellationToken);
        if (!read.Succeeded(out var body, out _))
        {
            return read;
        }

        if (headers.Check(body.Length, limits) is { } problem)
        {
            body.Dispose();
            return problem;
        }

        return body;
    }

    private Outcome<Wanted> Understand(ImageBody body, InferHeaders headers, DetectionFilter filter)
    {
        if (headers.IsRaw)
        {
            // Without JSON the body is the only element, and all outputs are binary.
            var raw = new InferRequest
            {
                Count = 1,
                Outputs = [.. Tensors.OfDetections.Select(tensor => new RequestedOutput(tensor, IsBinary: true))],
                Choices = new InferChoices(filter),
            };
            return ImageTensor.Check(body.Bytes, 0, limits) is { } wrong ? wrong : new Wanted(raw, [body.Bytes]);
        }

        var jsonLength = headers.JsonLength ?? body.Length;
        var json = body.Bytes.Span[..jsonLength];
        return InferRequestReader.Read(json, filter, limits.MaxBatchImages).Succeeded(out var request, out var problem)
            && ImageTensor.Split(body.Writable, jsonLength, request, limits).Succeeded(out var images, out problem)
            ? new Wanted(request, images)
            : problem;
    }

    /// <summary>A request that was read in full.</summary>
    /// <param name="Request">The request that its JSON holds.</param>
    /// <param name="Images">[N] encoded images, parts of the body.</param>
    private sealed record Wanted(InferRequest Request, ReadOnlyMemory<byte>[] Images);
}
