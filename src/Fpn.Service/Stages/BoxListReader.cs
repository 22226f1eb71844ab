using System.Text.Json;
using Fpn.Detection.Geometry;
using Fpn.Service.Json;
using Fpn.Service.Problems;

namespace Fpn.Service.Stages;

/// <summary>Reads boxes from JSON: <c>[[x1, y1, x2, y2], …]</c>.</summary>
internal static class BoxListReader
{
    /// <summary>Name of the boxes, as a part of a form and as a member of JSON.</summary>
    public const string Name = "boxes";

    private const int Corners = 4;

    /// <summary>The problem of something else in the place of boxes.</summary>
    public static Problem NotBoxes() => Problem.BadParameter(Name, "Must be a list of boxes: [[x1, y1, x2, y2], …].");

    /// <summary>The problem of a request without boxes.</summary>
    public static Problem Missing() =>
        Problem.BadParameter(Name, "There are no boxes: send a list of them, [[x1, y1, x2, y2], …].");

    /// <summary>Reads a text that is the list alone.</summary>
    /// <param name="text">The JSON.</param>
    /// <param name="most">How many boxes there may be.</param>
    /// <returns>[N] xyxy, or the problem.</returns>
    public static Outcome<List<Box>> Read(ReadOnlySpan<byte> text, int most)
    {
        try
        {
            var json = new JsonObjectReader(text);
            json.Advance();
            var boxes = new List<Box>();
            if (Read(ref json, most, boxes) is { } problem)
            {
                return problem;
            }

            json.ExpectEnd();
            return boxes;
        }
        catch (JsonException)
        {
            return NotBoxes();
        }
    }

    /// <summary>Reads the list that the reader stands on, and ends on its last token.</summary>
    /// <param name="json">Stands on the value.</param>
    /// <param name="most">How many boxes there may be.</param>
    /// <param name="boxes">Receives them.</param>
    /// <returns>Null, or the problem.</returns>
    /// <exception cref="JsonException">The text is not JSON.</exception>
    public static Problem? Read(ref JsonObjectReader json, int most, List<Box> boxes) =>
        json.Token != JsonTokenType.StartArray
            ? NotBoxes()
            : JsonBody.ReadElements(
                ref json,
                (ref JsonObjectReader box, int index) =>
                    index == most ? Problem.TooManyRegions(most) : ReadBox(ref box, index, boxes));

    private static Problem? ReadBox(ref JsonObjectReader json, int index, List<Box> boxes)
    {
        Span<float> sides = stackalloc float[Corners];
        var count = 0;
        if (json.Token != JsonTokenType.StartArray)
        {
            return NotABox(index);
        }

        for (json.Advance(); json.Token != JsonTokenType.EndArray; json.Advance())
        {
            if (count == Corners || json.Single() is not { } side)
            {
                return NotABox(index);
            }

            sides[count++] = side;
        }

        if (count < Corners)
        {
            return NotABox(index);
        }

        boxes.Add(new Box(sides[0], sides[1], sides[2], sides[3]));
        return null;
    }

    private static Problem NotABox(int index) =>
        Problem.BadParameter($"{Name}[{index}]", "Must be a box: four numbers, [x1, y1, x2, y2].");
}
