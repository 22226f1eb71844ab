using System.Text.Json;
using Fpn.Service.Answers;
using Fpn.Service.Bodies;
using Fpn.Service.Json;
using Fpn.Service.Problems;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Compatibility.Door;

/// <summary>The one image of a JSON body: base64 or a URL.</summary>
/// <param name="member">Name of the member that holds it; for problems.</param>
internal sealed class OneImage(string member)
{
    private Base64Text? _place;

    /// <summary>Reads the member.</summary>
    /// <param name="json">Stands on its value.</param>
    /// <returns>Null, or the problem.</returns>
    public Problem? Read(ref JsonObjectReader json)
    {
        if (json.Token != JsonTokenType.String)
        {
            return Problem.BadParameter(member, "Must be a string: an image as base64, or its URL.");
        }

        if (_place is not null)
        {
            return Problem.BadParameter(member, "Is given twice.");
        }

        _place = json.Place;
        return null;
    }

    /// <summary>Detects the objects of the image.</summary>
    /// <param name="door">Opens it.</param>
    /// <param name="context">The request; takes what the log says of it.</param>
    /// <param name="lane">The model that answers; the caller holds it.</param>
    /// <param name="filter">Which detections are answered.</param>
    /// <param name="body">The body; base64 is overwritten.</param>
    /// <exception cref="OperationCanceledException">The client went away.</exception>
    public async Task<Outcome<DetectionAnswer>> DetectAsync(
        ContractDoor door, HttpContext context, ModelLane lane, DetectionFilter filter, ImageBody body)
    {
        if (_place is not { } place)
        {
            return Problem.BadParameter(member, "Is missing: an image as base64, or its URL.");
        }

        return (await door.DetectAsync(context, lane, filter, body, [place], _ => member))
            .Succeeded(out var answers, out var problem)
            ? answers[0]
            : problem;
    }
}
