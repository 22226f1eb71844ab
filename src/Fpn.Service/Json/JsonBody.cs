using System.Text.Json;
using System.Text.Unicode;
using Fpn.Service.Problems;

namespace Fpn.Service.Json;

/// <summary>Reads the value of one member of an object.</summary>
/// <param name="json">Stands on the value; must end on its last token.</param>
/// <param name="name">Name of the member; null when it is longer than any known one.</param>
/// <returns>Null, or the problem, which ends the reading.</returns>
internal delegate Problem? MemberReader(ref JsonObjectReader json, string? name);

/// <summary>Reads the element of an array.</summary>
/// <param name="json">Stands on the element; must end on its last token.</param>
/// <param name="index">Its position, from 0.</param>
/// <returns>Null, or the problem, which ends the reading.</returns>
internal delegate Problem? ElementReader(ref JsonObjectReader json, int index);

/// <summary>Reads bodies that are one JSON object.</summary>
internal static class JsonBody
{
    /// <summary>The problem of JSON with bytes that are not text.</summary>
    public static Problem NotUtf8() => Problem.BadRequest("The JSON is not valid UTF-8.");

    /// <summary>Reads a whole body, member by member, without building a tree of it.</summary>
    /// <param name="json">The body.</param>
    /// <param name="read">Reads each member, or skips it.</param>
    /// <returns>Null, or the first problem.</returns>
    public static Problem? Read(ReadOnlySpan<byte> json, MemberReader read)
    {
        if (!Utf8.IsValid(json))
        {
            return NotUtf8();
        }

        try
        {
            var reader = new JsonObjectReader(json);
            reader.Advance();
            if (reader.Token != JsonTokenType.StartObject)
            {
                return Problem.BadRequest("The request must be a JSON object.");
            }

            if (ReadMembers(ref reader, read) is { } problem)
            {
                return problem;
            }

            reader.ExpectEnd();
            return null;
        }
        catch (JsonException exception)
        {
            return Problem.BadRequest($"The request is not valid JSON: {exception.Message}");
        }
    }

    /// <summary>Reads the members of the object that the reader stands on.</summary>
    /// <exception cref="JsonException">The text is not JSON.</exception>
    public static Problem? ReadMembers(ref JsonObjectReader json, MemberReader read)
    {
        while (json.NextMember(out var name))
        {
            if (read(ref json, name) is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    /// <summary>Skips the value that the reader stands on, of a member that is not known.</summary>
    /// <returns>Null.</returns>
    /// <exception cref="JsonException">The text is not JSON.</exception>
    public static Problem? Skip(ref JsonObjectReader json)
    {
        json.Skip();
        return null;
    }

    /// <summary>Reads the elements of the array that the reader stands on.</summary>
    /// <exception cref="JsonException">The text is not JSON.</exception>
    public static Problem? ReadElements(ref JsonObjectReader json, ElementReader read)
    {
        var index = 0;
        for (json.Advance(); json.Token != JsonTokenType.EndArray; json.Advance())
        {
            if (read(ref json, index++) is { } problem)
            {
                return problem;
            }
        }

        return null;
    }
}
