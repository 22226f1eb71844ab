using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Fpn.Service.Api;

/// <summary>Takes the image out of a request: the body itself, or the part <c>image</c> of a form.</summary>
/// <param name="limits">Sizes above which nothing more is read.</param>
internal sealed class ImageBodyReader(LimitsOptions limits)
{
    /// <summary>Name of the form part.</summary>
    public const string PartName = "image";

    /// <summary>Room for the boundaries and headers of a form around an image of the largest size.</summary>
    private const long FormOverhead = 64 << 10;

    private const int LongestBoundary = 200;

    /// <summary>Reads the image.</summary>
    /// <returns>The encoded image, which the caller disposes; or what was wrong with the body.</returns>
    /// <exception cref="BadHttpRequestException">The body ended early or came too slowly.</exception>
    public async Task<Outcome<ImageBody>> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var isForm = MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            && type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase);
        if (request.ContentLength > limits.MaxImageBytes + (isForm ? FormOverhead : 0))
        {
            return Problem.ImageTooLarge(limits.MaxImageBytes);
        }

        return isForm
            ? await ReadFormAsync(request, type!, cancellationToken)
            : Check(await ImageBody.ReadAsync(request.Body, request.ContentLength, limits.MaxImageBytes, cancellationToken));
    }

    private async Task<Outcome<ImageBody>> ReadFormAsync(HttpRequest request, MediaTypeHeaderValue type, CancellationToken cancellationToken)
    {
        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary);
        if (StringSegment.IsNullOrEmpty(boundary) || boundary.Length > LongestBoundary)
        {
            return Problem.BrokenMultipart($"The Content-Type must give a boundary of 1 to {LongestBoundary} characters.");
        }

        ImageBody? image = null;
        try
        {
            var reader = new MultipartReader(boundary.ToString(), request.Body) { BodyLengthLimit = null };
            while (await reader.ReadNextSectionAsync(cancellationToken) is { } section)
            {
                var name = section.GetContentDispositionHeader() is { } disposition ? HeaderUtilities.RemoveQuotes(disposition.Name).ToString() : string.Empty;
                if (name.Length == 0)
                {
                    return Fail(Problem.NoImage($"The form has a part without a name; send the picture as the one part '{PartName}'."));
                }

                if (name != PartName)
                {
                    return Fail(Problem.BadParameter(name, $"The form has a part '{name}'; send the picture as the one part '{PartName}'."));
                }

                if (image is not null)
                {
                    return Fail(Problem.TooManyImages($"The form has more than one part '{PartName}'. Send one; /detect/batch takes several."));
                }

                if (!Check(await ImageBody.ReadAsync(section.Body, null, limits.MaxImageBytes, cancellationToken)).Succeeded(out image, out var problem))
                {
                    return Fail(problem);
                }
            }

            return image is null ? Problem.NoImage($"The form has no part '{PartName}'.") : image;
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException and not BadHttpRequestException)
        {
            return Fail(Problem.BrokenMultipart("The form is cut off, has a wrong boundary, or has headers that are too long."));
        }
        catch
        {
            image?.Dispose();
            throw;
        }

        Problem Fail(Problem problem)
        {
            image?.Dispose();
            return problem;
        }
    }

    private Outcome<ImageBody> Check(ImageBody? body)
    {
        switch (body)
        {
            case null:
                return Problem.ImageTooLarge(limits.MaxImageBytes);
            case { Length: 0 }:
                body.Dispose();
                return Problem.NoImage($"The body is empty. Send the image itself, or a form with the part '{PartName}'.");
            default:
                return body;
        }
    }
}
