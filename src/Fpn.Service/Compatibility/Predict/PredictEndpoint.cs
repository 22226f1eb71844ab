using System.Text.Json;
using Fpn.Service.Answers;
using Fpn.Service.Compatibility.Door;
using Fpn.Service.Problems;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Compatibility.Predict;

/// <summary>Answers requests to predict; contracts differ in how they write a prediction.</summary>
internal sealed class PredictEndpoint(ContractDoor door)
{
    /// <summary>Answers one request: the predictions in the order of its images.</summary>
    /// <param name="context">The request.</param>
    /// <param name="taken">A hold on the model, which is given back; or the problem that it is not served.</param>
    /// <param name="write">Writes the prediction for an image, one JSON value.</param>
    public async Task<IResult> HandleAsync(
        HttpContext context, Outcome<LaneUse> taken, Action<Utf8JsonWriter, DetectionAnswer> write)
    {
        if (!taken.Succeeded(out var use, out var problem))
        {
            return new ProblemResult(problem);
        }

        using (use)
        {
            return (await PredictAsync(context, use.Lane, write)).Succeeded(out var answer, out problem)
                ? answer
                : new ProblemResult(problem);
        }
    }

    private async Task<Outcome<JsonAnswer>> PredictAsync(
        HttpContext context, ModelLane lane, Action<Utf8JsonWriter, DetectionAnswer> write)
    {
        if (!(await door.ReadJsonAsync(context)).Succeeded(out var body, out var problem))
        {
            return problem;
        }

        using (body)
        {
            var filter = new DetectionFilter(lane.Model.Contract);
            if (!PredictRequest.Read(body.Bytes.Span, filter, door).Succeeded(out var request, out problem)
                || !(await door.DetectAsync(context, lane, filter, body, request.Images, request.PathFor))
                    .Succeeded(out var answers, out problem))
            {
                return problem;
            }

            return new JsonAnswer(json =>
            {
                json.WriteStartObject();
                json.WriteStartArray(request.IsColumnar ? "outputs"u8 : "predictions"u8);
                Array.ForEach(answers, answer => write(json, answer));
                json.WriteEndArray();
                json.WriteEndObject();
            });
        }
    }
}
