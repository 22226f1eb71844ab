using System.Text.Json;
using Fpn.Service.Bodies;
using Fpn.Service.Json;
using Fpn.Service.Problems;

namespace Fpn.Service.Compatibility.Door;

/// <summary>The one image of a JSON body, as base64.</summary>
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
            return Problem.BadParameter(member, "Must be a string: an image as base64.");
        }

        if (_place is not null)
        {
            return Problem.BadParameter(member, "Is given twice.");
        }

        _place = json.Place;
        return null;
    }

    /// <summary>Decodes the image where it stands.</summary>
    /// <param name="door">Has the limits.</param>
    /// <param name="body">The body; the text is overwritten.</param>
    /// <returns>The encoded image alone in an array, a part of the body; or the problem.</returns>
    public Outcome<ReadOnlyMemory<byte>[]> Decode(ContractDoor door, ImageBody body) => _place is { } place
        ? door.Decode(body, [place], PathFor)
        : Problem.BadParameter(member, "Is missing: an image as base64.");

    /// <summary>The name of the image in problems.</summary>
    /// <param name="index">Always 0.</param>
    public string PathFor(int index) => member;
}
