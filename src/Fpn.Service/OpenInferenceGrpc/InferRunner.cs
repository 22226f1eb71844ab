using Fpn.Service.Answers;
using Fpn.Service.Detect;
using Fpn.Service.Engine;
using Fpn.Service.GrpcPort;
using Fpn.Service.OpenInference;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Microsoft.AspNetCore.Http.Features;

namespace Fpn.Service.OpenInferenceGrpc;

/// <summary>Answers one <c>ModelInferRequest</c>, of a call or of a stream.</summary>
internal sealed class InferRunner(
    ServedModels models, ImageInference inference, LimitsOptions limits, TimeProvider clock)
{
    /// <summary>Answers a request.</summary>
    /// <param name="message">The whole message, which must stay until the task is done.</param>
    /// <param name="address">Who is asked.</param>
    /// <param name="context">The call.</param>
    /// <returns>The answer, or the problem.</returns>
    /// <exception cref="OperationCanceledException">The client went away.</exception>
    public async Task<Outcome<ModelInferResponse>> AnswerAsync(
        ReadOnlyMemory<byte> message, InferAddress address, HttpContext context)
    {
        var caller = context.Caller();
        if (!DetectHeaders.Parse(context.Request.Headers, caller).Succeeded(out var urgency, out var problem)
            || !models.Take(address.Model, address.Version).Succeeded(out var use, out problem))
        {
            return problem;
        }

        using (use)
        {
            var filter = new DetectionFilter(use.Lane.Model.Contract);
            if (!InferQueryReader.Read(message, filter, limits).Succeeded(out var query, out problem))
            {
                return problem;
            }

            // The caller stops waiting at the deadline of the call, whatever the parameters say.
            var deadline = context.Features.GetRequiredFeature<CallDeadline>();
            if (deadline.Left(clock) is { } left)
            {
                if (left <= TimeSpan.Zero)
                {
                    return deadline.Passed();
                }

                var asked = query.Choices.Timeout ?? urgency.Timeout;
                query.Choices.Timeout = asked < left ? asked : left;
            }

            return (await inference.InferAsync(
                    use.Lane, query.Images, query.Choices, urgency, caller, context.RequestAborted))
                .Succeeded(out var rows, out problem)
                ? InferAnswer.Create(address.Id, query, rows)
                : problem;
        }
    }
}
