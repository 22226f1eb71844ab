using System.Text;
using Fpn.Service.Engine;
using Fpn.Service.Problems;
using Microsoft.AspNetCore.WebUtilities;

namespace Fpn.Service.Bodies;

/// <summary>Reads forms that have text fields besides the image.</summary>
internal sealed class ImageFormReader(LimitsOptions limits, ImageBodyReader images)
{
    private const int MostParts = 32;
    private const int LongestField = 1024;

    /// <summary>The problem of a body that is not a form.</summary>
    public static Problem NotAForm() => Problem.NoImage(
        $"The body is not a form (multipart/form-data); send the picture as its part '{ImageBodyReader.PartName}'.",
        ImageBodyReader.PartName);

    /// <summary>Reads a form, whose parts may come in any order.</summary>
    /// <param name="request">The request.</param>
    /// <param name="fields">Names of the fields that are read; others are skipped.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The form, which the caller disposes; or the problem of the body.</returns>
    /// <exception cref="BadHttpRequestException">The body ended early or came too slowly.</exception>
    public async Task<Outcome<ImageForm>> ReadAsync(
        HttpRequest request, IReadOnlyCollection<string> fields, CancellationToken cancellationToken)
    {
        if (MultipartForm.ContentType(request) is not { } type)
        {
            return NotAForm();
        }

        var limit = limits.MaxImageBytes + ImageBodyReader.FormOverhead;
        if (request.ContentLength > limit)
        {
            return Problem.ImageTooLarge(limits.MaxImageBytes);
        }

        var body = new CountedBody(request.Body, limit);
        if (!MultipartForm.Open(type, body).Succeeded(out var reader, out var problem))
        {
            return problem;
        }

        var form = new ImageForm();
        try
        {
            problem = await ReadPartsAsync(reader, form, fields, cancellationToken);
        }
        catch (Exception exception) when (MultipartForm.IsBroken(exception))
        {
            // To the reader, a body that is too large looks cut off.
            problem = body.IsExceeded ? Problem.ImageTooLarge(limits.MaxImageBytes) : MultipartForm.Broken();
        }
        catch
        {
            form.Dispose();
            throw;
        }

        if (problem is null)
        {
            return form;
        }

        form.Dispose();
        return problem;
    }

    private async Task<Problem?> ReadPartsAsync(
        MultipartReader reader, ImageForm form, IReadOnlyCollection<string> fields, CancellationToken cancellationToken)
    {
        var parts = 0;
        while (await reader.ReadNextSectionAsync(cancellationToken) is { } section)
        {
            if (++parts > MostParts)
            {
                return Problem.BadRequest($"The form has more than {MostParts} parts.");
            }

            var name = MultipartForm.NameFor(section);
            var problem = name == ImageBodyReader.PartName ? await ReadImageAsync(section, form, cancellationToken)
                : fields.Contains(name) ? await ReadFieldAsync(section, name, form, cancellationToken)
                : null;
            if (problem is not null)
            {
                return problem;
            }
        }

        return null;
    }

    private async Task<Problem?> ReadImageAsync(
        MultipartSection section, ImageForm form, CancellationToken cancellationToken)
    {
        var read = await images.ReadImageAsync(section.Body, null, ImageBodyReader.PartName, cancellationToken);
        if (!read.Succeeded(out var image, out var problem))
        {
            return problem;
        }

        problem = form.Add(image);
        if (problem is not null)
        {
            image.Dispose();
        }

        return problem;
    }

    private static async Task<Problem?> ReadFieldAsync(
        MultipartSection section, string name, ImageForm form, CancellationToken cancellationToken)
    {
        var bytes = new byte[LongestField + 1];
        var length = await section.Body.ReadAtLeastAsync(
            bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        return length > LongestField
            ? Problem.BadParameter(name, $"Is longer than {LongestField} bytes.")
            : form.Add(name, Encoding.UTF8.GetString(bytes, 0, length));
    }
}
