using System.Globalization;
using Fpn.Service.Bodies;
using Fpn.Service.Detect;
using Fpn.Service.Engine;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Service.Wire;

namespace Fpn.Service.OpenInference;

/// <summary>What the headers of an inference request say.</summary>
/// <param name="JsonLength">Bytes of the body that are JSON: null for all, 0 when the body is one image (the raw form).</param>
/// <param name="Urgency">Priority and deadline, unless the parameters say otherwise.</param>
internal sealed record InferHeaders(int? JsonLength, DetectHeaders Urgency)
{
    /// <summary>JSON beside binary data at most, in bytes: it holds names and numbers alone.</summary>
    private const int LongestJson = 1 << 20;

    /// <summary>Whether the body is one image and nothing else.</summary>
    public bool IsRaw => JsonLength == 0;

    /// <summary>Reads the headers, and refuses by them what need not be read.</summary>
    /// <param name="request">The request; its body is not read.</param>
    /// <param name="limits">The largest body and the largest image.</param>
    public static Outcome<InferHeaders> Parse(HttpRequest request, LimitsOptions limits)
    {
        if (BodyEncoding.Check(request) is { } compressed)
        {
            return compressed;
        }

        if (!DetectHeaders.Parse(request.Headers, request.HttpContext.Caller()).Succeeded(out var urgency, out var problem))
        {
            return problem;
        }

        int? length = null;
        if (request.Headers[ApiHeaders.JsonLength] is { Count: > 0 } lengths)
        {
            if (!int.TryParse(lengths.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            {
                return Problem.BadParameter(ApiHeaders.JsonLength, $"'{lengths}' is not a whole number of bytes.");
            }

            length = value;
        }

        var headers = new InferHeaders(length, urgency);
        return request.ContentLength is { } announced && headers.Check(announced, limits) is { } refused
            ? refused
            : headers;
    }

    /// <summary>Holds the length of the JSON and the limits against the length of the body.</summary>
    /// <param name="bodyLength">Bytes.</param>
    /// <param name="limits">The largest body and the largest image.</param>
    /// <returns>What is wrong, or null.</returns>
    public Problem? Check(long bodyLength, LimitsOptions limits)
    {
        if (bodyLength > MostBytes(limits))
        {
            return TooLarge(MostBytes(limits));
        }

        if (JsonLength > bodyLength)
        {
            return Problem.BadParameter(ApiHeaders.JsonLength, $"{JsonLength} is more than the {bodyLength} bytes of the body.");
        }

        return JsonLength > LongestJson && JsonLength < bodyLength
            ? Problem.BadParameter(
                ApiHeaders.JsonLength, $"{JsonLength} bytes of JSON before binary data; at most {LongestJson} are served.")
            : null;
    }

    /// <summary>Bytes of the body at most.</summary>
    public long MostBytes(LimitsOptions limits) => IsRaw ? limits.MaxImageBytes : limits.MaxBatchBytes;

    /// <summary>The problem of a body that has more than <paramref name="limit"/> bytes.</summary>
    public Problem TooLarge(long limit) => IsRaw ? Problem.ImageTooLarge(limit) : Problem.BatchTooLarge(limit);
}
