using Fpn.Service.Bodies;
using Fpn.Service.Engine;
using Fpn.Service.Problems;
using Microsoft.AspNetCore.WebUtilities;

namespace Fpn.Service.Detect;

/// <summary>Reads the images of a form, one after the other.</summary>
internal sealed class BatchBodyReader(LimitsOptions limits, ImageBodyReader images)
{
    /// <summary>Name of the form parts.</summary>
    public const string PartName = "images";

    private const string Wanted = $"send the pictures as parts '{PartName}'";

    /// <summary>Reads the whole form and hands over each image as soon as it is complete.</summary>
    /// <param name="request">The request.</param>
    /// <param name="batch">Takes the images, those that are too large or empty as their problem.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>
    /// <paramref name="batch"/>, or the problem of the form as a whole; the batch then holds the images before it.
    /// </returns>
    /// <exception cref="BadHttpRequestException">The body ended early or came too slowly.</exception>
    public async Task<Outcome<DetectionBatch>> ReadAsync(
        HttpRequest request, DetectionBatch batch, CancellationToken cancellationToken)
    {
        if (MultipartForm.ContentType(request) is not { } type)
        {
            return Problem.NoImage(
                $"The body is not a form (multipart/form-data); {Wanted}, or one picture to /detect.", PartName);
        }

        if (request.ContentLength > limits.MaxBatchBytes)
        {
            return Problem.BatchTooLarge(limits.MaxBatchBytes);
        }

        var body = new CountedBody(request.Body, limits.MaxBatchBytes);
        if (!MultipartForm.Open(type, body).Succeeded(out var reader, out var problem))
        {
            return problem;
        }

        try
        {
            if (await ReadPartsAsync(reader, batch, cancellationToken) is { } wrong)
            {
                return wrong;
            }
        }
        catch (Exception exception) when (MultipartForm.IsBroken(exception))
        {
            // To the reader, a body that is too large looks cut off.
            return body.IsExceeded ? Problem.BatchTooLarge(limits.MaxBatchBytes) : MultipartForm.Broken();
        }

        return batch.Images.Count > 0 ? batch : MultipartForm.Without(PartName);
    }

    private async Task<Problem?> ReadPartsAsync(
        MultipartReader reader, DetectionBatch batch, CancellationToken cancellationToken)
    {
        // The reader skips the bytes of a part beyond the limit.
        while (await reader.ReadNextSectionAsync(cancellationToken) is { } section)
        {
            if (MultipartForm.CheckName(section, PartName, Wanted) is { } wrong)
            {
                return wrong;
            }

            if (batch.Images.Count == limits.MaxBatchImages)
            {
                return Problem.TooManyBatchImages(limits.MaxBatchImages);
            }

            batch.Add(await images.ReadImageAsync(section.Body, null, PartName, cancellationToken));
        }

        return null;
    }
}
