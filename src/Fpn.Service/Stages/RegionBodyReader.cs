using Fpn.Detection.Geometry;
using Fpn.Service.Bodies;
using Fpn.Service.Engine;
using Fpn.Service.Json;
using Fpn.Service.Problems;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;

namespace Fpn.Service.Stages;

/// <summary>Reads an image and boxes: a form with the parts <c>image</c> and <c>boxes</c>, or a JSON object with the
/// members of these names.</summary>
internal sealed class RegionBodyReader(LimitsOptions limits, ImageBodyReader images, BodyMemory memory)
{
    /// <summary>More than four numbers take in any notation that a program writes.</summary>
    private const long BytesPerBox = 128;

    private const string Wanted = $"send the parts '{ImageBodyReader.PartName}' and '{BoxListReader.Name}'";

    private long MostBoxBytes => (limits.MaxRegions * BytesPerBox) + ImageBodyReader.FormOverhead;

    /// <summary>Reads the body.</summary>
    /// <returns>Image and boxes, which the caller disposes; or the problem of the body.</returns>
    /// <exception cref="BadHttpRequestException">The body ended early or came too slowly.</exception>
    public async Task<Outcome<RegionBody>> ReadAsync(HttpRequest request, CancellationToken cancellationToken) =>
        MultipartForm.ContentType(request) is { } form
            ? await ReadFormAsync(request, form, cancellationToken)
            : await ReadJsonAsync(request, cancellationToken);

    private async Task<Outcome<RegionBody>> ReadJsonAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        // Base64 takes four bytes for three.
        var most = ((limits.MaxImageBytes + 2) / 3 * 4) + MostBoxBytes;
        var read = await ImageBody.ReadAsync(
            request.Body, request.ContentLength, most, TooLarge, memory, cancellationToken);
        if (!read.Succeeded(out var body, out var problem))
        {
            return problem;
        }

        var boxes = new List<Box>();
        problem = ReadMembers(body, boxes, out var image);
        if (problem is null)
        {
            return new RegionBody(body, image, boxes);
        }

        body.Dispose();
        return problem;
    }

    private Problem? ReadMembers(ImageBody body, List<Box> boxes, out ReadOnlyMemory<byte> image)
    {
        image = default;
        Base64Text? text = null;
        var hasBoxes = false;
        var problem = JsonBody.Read(body.Bytes.Span, (ref JsonObjectReader json, string? name) =>
        {
            switch (name)
            {
                case ImageBodyReader.PartName when text is null && json.IsText:
                    text = json.Place;
                    return null;
                case ImageBodyReader.PartName:
                    return Problem.BadParameter(name, "Must be given once, as a string of base64.");
                case BoxListReader.Name when !hasBoxes:
                    hasBoxes = true;
                    return BoxListReader.Read(ref json, limits.MaxRegions, boxes);
                case BoxListReader.Name:
                    return Problem.BadParameter(name, "Is given twice.");
                default:
                    return Problem.BadParameter(
                        name ?? string.Empty,
                        $"The member '{name}' is unknown. Known: {ImageBodyReader.PartName}, {BoxListReader.Name}.");
            }
        });
        return problem
            ?? (text is not { } place
                ? Problem.NoImage("The JSON has no member 'image'.", ImageBodyReader.PartName)
                : !hasBoxes ? BoxListReader.Missing()
                : InlineImage.Decode(body.Writable, place, limits, ImageBodyReader.PartName, out image));
    }

    private async Task<Outcome<RegionBody>> ReadFormAsync(
        HttpRequest request, MediaTypeHeaderValue type, CancellationToken cancellationToken)
    {
        if (request.ContentLength > limits.MaxImageBytes + MostBoxBytes)
        {
            return TooLarge(0);
        }

        if (!MultipartForm.Open(type, request.Body).Succeeded(out var reader, out var problem))
        {
            return problem;
        }

        var parts = new Parts();
        try
        {
            while (problem is null && await reader.ReadNextSectionAsync(cancellationToken) is { } section)
            {
                problem = await ReadPartAsync(section, parts, cancellationToken);
            }
        }
        catch (Exception exception) when (MultipartForm.IsBroken(exception))
        {
            problem = MultipartForm.Broken();
        }
        catch
        {
            parts.Image?.Dispose();
            throw;
        }

        problem ??= parts.Image is null ? MultipartForm.Without(ImageBodyReader.PartName)
            : parts.Boxes is null ? BoxListReader.Missing()
            : null;
        if (problem is null)
        {
            return new RegionBody(parts.Image!, parts.Image!.Bytes, parts.Boxes!);
        }

        parts.Image?.Dispose();
        return problem;
    }

    private async Task<Problem?> ReadPartAsync(
        MultipartSection section, Parts parts, CancellationToken cancellationToken)
    {
        if (MultipartForm.NameFor(section) == BoxListReader.Name)
        {
            return parts.Boxes is null
                ? await ReadBoxesAsync(section, parts, cancellationToken)
                : Problem.BadParameter(BoxListReader.Name, "Is given twice.");
        }

        if (MultipartForm.CheckName(section, ImageBodyReader.PartName, Wanted) is { } wrong)
        {
            return wrong;
        }

        if (parts.Image is not null)
        {
            return Problem.TooManyImages("The form has more than one image; send one.");
        }

        var read = await images.ReadImageAsync(section.Body, null, ImageBodyReader.PartName, cancellationToken);
        var succeeded = read.Succeeded(out var image, out var problem);
        parts.Image = image;
        return succeeded ? null : problem;
    }

    private async Task<Problem?> ReadBoxesAsync(
        MultipartSection section, Parts parts, CancellationToken cancellationToken)
    {
        var read = await ImageBody.ReadAsync(
            section.Body,
            null,
            MostBoxBytes,
            _ => Problem.TooManyRegions(limits.MaxRegions),
            memory,
            cancellationToken);
        if (!read.Succeeded(out var body, out var problem))
        {
            return problem;
        }

        using (body)
        {
            var list = BoxListReader.Read(body.Bytes.Span, limits.MaxRegions);
            var succeeded = list.Succeeded(out var boxes, out problem);
            parts.Boxes = boxes;
            return succeeded ? null : problem;
        }
    }

    private Problem TooLarge(long limit) => Problem.ImageTooLarge(limits.MaxImageBytes);

    /// <summary>What a form has brought so far.</summary>
    private sealed class Parts
    {
        public ImageBody? Image { get; set; }

        public List<Box>? Boxes { get; set; }
    }
}
