using Fpn.Models.Detectors;
using Fpn.Service.Answers;
using Fpn.Service.Bodies;
using Fpn.Service.Detect;
using Fpn.Service.Engine;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;
using Fpn.Serving.Pipeline;
using Fpn.Serving.Requests;

namespace Fpn.Service.OpenInference;

/// <summary><c>POST /v2/models/{model}[/versions/{version}]/infer</c>.</summary>
internal sealed class InferEndpoint(
    ServedModels models, DetectionPipeline pipeline, BodyWait bodies, BodyMemory memory, LimitsOptions limits)
{
    /// <summary>Answers one request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="model">Name of the model.</param>
    /// <param name="version">The version that must be loaded; null for any.</param>
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
            var contract = lane.Model.Contract;
            if (!Understand(body, headers, new DetectionFilter(contract)).Succeeded(out var wanted, out problem))
            {
                return problem;
            }

            var caller = context.Caller();
            if (wanted.Request.Choices.Priority is { } priority && caller.Check(priority) is { } tooUrgent)
            {
                return tooUrgent;
            }

            caller.ChargeMore(Math.Max(0, wanted.Images.Length - 1));
            return (await DetectAllAsync(lane, wanted, headers.Urgency, context.RequestAborted))
                .Succeeded(out var detections, out problem)
                ? new InferResult(contract, wanted.Request.Id, detections, wanted.Request.Outputs)
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
                Outputs = [.. Tensors.All.Select(tensor => new RequestedOutput(tensor, IsBinary: true))],
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

    /// <summary>Runs all images side by side through the queue that <c>/detect</c> uses.</summary>
    /// <returns>
    /// [N], in the order of the images; or the problem of the first that failed: the others are given up.
    /// </returns>
    /// <exception cref="OperationCanceledException">The client went away.</exception>
    private async Task<Outcome<DetectedObject[][]>> DetectAllAsync(
        ModelLane lane, Wanted wanted, DetectHeaders urgency, CancellationToken cancellationToken)
    {
        var choices = wanted.Request.Choices;
        using var stop = new CancellationTokenSource();
        var runs = Array.ConvertAll(wanted.Images, RunAsync);

        // Every task must have ended before the body is freed, whatever became of it.
        await Task.WhenAll(runs.Cast<Task>()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (Array.Find(runs, run => run.IsFaulted) is { } faulted)
        {
            await faulted;
        }

        var results = await Task.WhenAll(runs);
        var failed = Array.FindIndex(results, result => result.Failure is { Kind: not FailureKind.GivenUp });
        if (failed >= 0)
        {
            return ImageTensor.At(failed, FailureProblems.ProblemFor(results[failed].Failure!));
        }

        return Array.ConvertAll(results, result => choices.Filter.Apply(result.Value!.Detections).ToArray());

        async Task<Result<DetectionResult>> RunAsync(ReadOnlyMemory<byte> image)
        {
            var succeeded = false;
            try
            {
                var request = new DetectionRequest(image)
                {
                    Priority = choices.Priority ?? urgency.Priority,
                    Timeout = choices.Timeout ?? urgency.Timeout,
                    Cancellation = cancellationToken,
                    GivenUp = stop.Token,
                };
                var result = await pipeline.DetectAsync(lane, request);
                succeeded = result.Succeeded;
                return result;
            }
            finally
            {
                if (!succeeded)
                {
                    await stop.CancelAsync();
                }
            }
        }
    }

    /// <summary>A request that was read in full.</summary>
    /// <param name="Request">The request that its JSON holds.</param>
    /// <param name="Images">[N] encoded images, parts of the body.</param>
    private sealed record Wanted(InferRequest Request, ReadOnlyMemory<byte>[] Images);
}
