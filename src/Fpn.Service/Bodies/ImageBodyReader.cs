using Fpn.Service.Engine;
using Fpn.Service.Problems;
using Microsoft.Net.Http.Headers;

namespace Fpn.Service.Bodies;

/// <summary>Reads the image of a request: the body itself, or the part <c>image</c> of a form.</summary>
internal sealed class ImageBodyReader(LimitsOptions limits, BodyMemory memory)
{
    /// <summary>Name of the form part.</summary>
    public const string PartName = "image";

    private const string Wanted = $"send the picture as the one part '{PartName}'";

    /// <summary>Room for the boundaries and headers of a form around an image of the largest size.</summary>
    public const long FormOverhead = 64 << 10;

    /// <summary>The problem of an image without a byte.</summary>
    /// <param name="part">The form part that images are sent as.</param>
    public static Problem Empty(string part) =>
        Problem.NoImage($"The body is empty. Send the image itself, or a form with the part '{part}'.", part);

    /// <summary>The problem of a form with more than one image.</summary>
    public static Problem SecondImage() =>
        Problem.TooManyImages($"The form has more than one part '{PartName}'. Send one; /detect/batch takes several.");

    /// <summary>Reads the image.</summary>
    /// <returns>The encoded image, which the caller disposes; or the problem of the body.</returns>
    /// <exception cref="BadHttpRequestException">The body ended early or came too slowly.</exception>
    public async Task<Outcome<ImageBody>> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var form = MultipartForm.ContentType(request);
        if (request.ContentLength > limits.MaxImageBytes + (form is null ? 0 : FormOverhead))
        {
            return Problem.ImageTooLarge(limits.MaxImageBytes);
        }

        return form is null
            ? await ReadImageAsync(request.Body, request.ContentLength, PartName, cancellationToken)
            : await ReadFormAsync(request, form, cancellationToken);
    }

    /// <summary>Reads one image.</summary>
    /// <param name="stream">The body, or a part of a form.</param>
    /// <param name="announced">Its length, if known.</param>
    /// <param name="part">The form part that images are sent as.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The image, which the caller disposes; or the problem that it is empty or too large.</returns>
    public async Task<Outcome<ImageBody>> ReadImageAsync(
        Stream stream, long? announced, string part, CancellationToken cancellationToken)
    {
        var read = await ImageBody.ReadAsync(
            stream, announced, limits.MaxImageBytes, Problem.ImageTooLarge, memory, cancellationToken);
        if (!read.Succeeded(out var body, out _) || body.Length > 0)
        {
            return read;
        }

        body.Dispose();
        return Empty(part);
    }

    private async Task<Outcome<ImageBody>> ReadFormAsync(
        HttpRequest request, MediaTypeHeaderValue type, CancellationToken cancellationToken)
    {
        if (!MultipartForm.Open(type, request.Body).Succeeded(out var reader, out var problem))
        {
            return problem;
        }

        ImageBody? image = null;
        try
        {
            while (await reader.ReadNextSectionAsync(cancellationToken) is { } section)
            {
                if (MultipartForm.CheckName(section, PartName, Wanted) is { } wrong)
                {
                    return Fail(wrong);
                }

                if (image is not null)
                {
                    return Fail(SecondImage());
                }

                var read = await ReadImageAsync(section.Body, null, PartName, cancellationToken);
                if (!read.Succeeded(out image, out problem))
                {
                    return Fail(problem);
                }
            }

            return image is null ? MultipartForm.Without(PartName) : image;
        }
        catch (Exception exception) when (MultipartForm.IsBroken(exception))
        {
            return Fail(MultipartForm.Broken());
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
}
