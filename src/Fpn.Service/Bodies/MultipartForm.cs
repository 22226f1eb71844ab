using Fpn.Service.Problems;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Fpn.Service.Bodies;

/// <summary>Checks and problems that the readers of forms share.</summary>
internal static class MultipartForm
{
    private const int LongestBoundary = 200;

    /// <summary>The content type of a form, or null when the body is something else.</summary>
    public static MediaTypeHeaderValue? ContentType(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
            ? type
            : null;

    /// <summary>Starts to read a form.</summary>
    /// <param name="type">From <see cref="ContentType"/>.</param>
    /// <param name="body">The request's body.</param>
    public static Outcome<MultipartReader> Open(MediaTypeHeaderValue type, Stream body)
    {
        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary);
        return StringSegment.IsNullOrEmpty(boundary) || boundary.Length > LongestBoundary
            ? Problem.BrokenMultipart($"The Content-Type must give a boundary of 1 to {LongestBoundary} characters.")
            : new MultipartReader(boundary.ToString(), body) { BodyLengthLimit = null };
    }

    /// <summary>Checks the name of a part.</summary>
    /// <returns>Null when the part is the expected one, otherwise the problem.</returns>
    public static Problem? CheckName(MultipartSection section, string expected, string wanted)
    {
        var name = NameFor(section);
        return name == expected ? null
            : name.Length == 0 ? Problem.NoImage($"The form has a part without a name; {wanted}.", expected)
            : Problem.BadParameter(name, $"The form has a part '{name}'; {wanted}.");
    }

    /// <summary>The name of a part; empty when it has none.</summary>
    public static string NameFor(MultipartSection section) =>
        HeaderUtilities.RemoveQuotes(section.GetContentDispositionHeader()?.Name ?? default).ToString();

    /// <summary>The problem of a form without the part that is expected.</summary>
    public static Problem Without(string part) => Problem.NoImage($"The form has no part '{part}'.", part);

    /// <summary>Whether an exception of the reader means that the form is broken, and not the connection.</summary>
    public static bool IsBroken(Exception exception) =>
        exception is InvalidDataException
        || exception is IOException and not BadHttpRequestException and not ConnectionResetException;

    /// <summary>The problem of a broken form.</summary>
    public static Problem Broken() =>
        Problem.BrokenMultipart("The form is cut off, has a wrong boundary, or has headers that are too long.");
}
