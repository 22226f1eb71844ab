using System.Globalization;
using System.Net.Http.Headers;
using System.Text;

namespace Fpn.Client;

/// <summary>Writes options as query and headers of <c>/detect</c> and <c>/detect/batch</c>.</summary>
internal static class DetectRequest
{
    /// <summary>Makes a request.</summary>
    /// <param name="address">Without a query.</param>
    /// <param name="content">The body; disposed with the request.</param>
    /// <param name="options">Null for none.</param>
    /// <param name="format">Null for JSON.</param>
    public static HttpRequestMessage Create(
        Uri address, HttpContent content, DetectOptions? options, OutputFormat? format)
    {
        var (formatName, mediaType) = Form(format);
        var target = new Uri(address.AbsoluteUri + Query(options, formatName));
        var request = new HttpRequestMessage(HttpMethod.Post, target) { Content = content };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(mediaType));

        // A body that can be sent only once waits until the service asks for it, so that a refusal leaves it whole.
        request.Headers.ExpectContinue = content.Headers.ContentLength is null ? true : null;
        if (options?.Priority is { } priority)
        {
            request.Headers.Add("X-Priority", priority switch
            {
                DetectPriority.Low => "low",
                DetectPriority.Normal => "normal",
                DetectPriority.High => "high",
                _ => throw new ArgumentOutOfRangeException(nameof(options), priority, "There is no such priority."),
            });
        }

        if (options?.Deadline is { } deadline)
        {
            var milliseconds = (long)Math.Ceiling(deadline.TotalMilliseconds);
            request.Headers.Add("X-Request-Timeout-Ms", milliseconds.ToString(CultureInfo.InvariantCulture));
        }

        return request;
    }

    /// <summary>A format as the parameter <c>format</c> and the header <c>Accept</c> name it.</summary>
    private static (string Name, string MediaType) Form(OutputFormat? format) => format switch
    {
        null => ("json", "application/json"),
        OutputFormat.Png => ("image", "image/png"),
        OutputFormat.Jpeg => ("image", "image/jpeg"),
        OutputFormat.Coco => ("coco", "application/json"),
        OutputFormat.Voc => ("voc", "application/xml"),
        OutputFormat.Yolo => ("yolo", "text/plain"),
        _ => throw new ArgumentOutOfRangeException(nameof(format), format, "There is no such format."),
    };

    private static string Query(DetectOptions? options, string format)
    {
        var query = new StringBuilder();
        Append(query, "format", format);
        if (options is not null)
        {
            Append(query, "model", options.Model);
            Append(query, "scoreThreshold", options.ScoreThreshold?.ToString(CultureInfo.InvariantCulture));
            Append(query, "maxDetections", options.MaxDetections?.ToString(CultureInfo.InvariantCulture));
            Append(query, "imageId", options.ImageId?.ToString(CultureInfo.InvariantCulture));
            Append(query, "explain", options.Explain ? "true" : null);
            AppendViews(query, options.Views ?? new ViewOptions());
            foreach (var label in options.Labels ?? [])
            {
                Append(query, "label", label);
            }
        }

        return query.ToString();
    }

    private static void AppendViews(StringBuilder query, ViewOptions views)
    {
        Append(query, "slice", views.Slice is var (height, width) ? Text($"{height}x{width}") : null);
        Append(query, "overlap", views.Overlap is { } overlap ? Text($"{overlap}") : null);
        Append(query, "wholeImage", Text(views.WholeImage));
        Append(query, "scales", views.Scales is { Count: > 0 } scales ? string.Join(',', scales.Select(Text)) : null);
        Append(query, "flip", Text(views.Flip));
        Append(query, "merge", views.Merge switch
        {
            null => null,
            MergeMethod.Nms => "nms",
            MergeMethod.Voting => "voting",
            MergeMethod.Ios => "ios",
            var unknown => throw new ArgumentOutOfRangeException(nameof(views), unknown, "There is no such method."),
        });
        Append(query, "mergeThreshold", views.MergeThreshold is { } threshold ? Text($"{threshold}") : null);
    }

    private static string? Text(bool? value) => value switch { null => null, true => "true", false => "false" };

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static void Append(StringBuilder query, string name, string? value)
    {
        if (value is not null)
        {
            query.Append(query.Length == 0 ? '?' : '&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
        }
    }
}
