using System.Text.Json;
using Fpn.Service.Answers;
using Fpn.Service.Bodies;
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
    public Task<IResult> HandleAsync(
        HttpContext context, Outcome<LaneUse> taken, Action<Utf8JsonWriter, DetectionAnswer> write) =>
        taken.UseAsync(use => door.ReadJsonAsync(context).UseAsync(
            body => PredictAsync(context, use.Lane, body, write))).ToResultAsync();

    private async Task<Outcome<JsonAnswer>> PredictAsync(
        HttpContext context, ModelLane lane, ImageBody body, Action<Utf8JsonWriter, DetectionAnswer> write)
    {
        var filter = new DetectionFilter(lane.Model.Contract);
        if (!PredictRequest.Read(body.Bytes.Span, filter, door).Succeeded(out var request, out var problem)
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
