using System.Globalization;
using System.Net.Http.Headers;
using System.Text;

namespace Fpn.Client.Sending;

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
        var target = new Uri(address.AbsoluteUri + Query(options, format));
        var request = new HttpRequestMessage(HttpMethod.Post, target) { Content = content };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(format switch
        {
            OutputFormat.Png => "image/png",
            OutputFormat.Jpeg => "image/jpeg",
            OutputFormat.Voc => "application/xml",
            OutputFormat.Yolo => "text/plain",
            _ => "application/json",
        }));

        // A body that can be sent only once waits until the service asks for it, so that a refusal leaves it whole.
        request.Headers.ExpectContinue = content.Headers.ContentLength is null ? true : null;
        if (options?.Priority is { } priority)
        {
            request.Headers.Add("X-Priority", priority switch
            {
                DetectPriority.Low => "low",
                DetectPriority.High => "high",
                _ => "normal",
            });
        }

        if (options?.Deadline is { } deadline)
        {
            var milliseconds = (long)Math.Ceiling(deadline.TotalMilliseconds);
            request.Headers.Add("X-Request-Timeout-Ms", milliseconds.ToString(CultureInfo.InvariantCulture));
        }

        return request;
    }

    private static string Query(DetectOptions? options, OutputFormat? format)
    {
        var query = new StringBuilder();
        Append(query, "format", format switch
        {
            OutputFormat.Png or OutputFormat.Jpeg => "image",
            OutputFormat.Coco => "coco",
            OutputFormat.Voc => "voc",
            OutputFormat.Yolo => "yolo",
            _ => "json",
        });
        if (options is not null)
        {
            Append(query, "model", options.Model);
            Append(query, "scoreThreshold", options.ScoreThreshold?.ToString(CultureInfo.InvariantCulture));
            Append(query, "maxDetections", options.MaxDetections?.ToString(CultureInfo.InvariantCulture));
            Append(query, "imageId", options.ImageId?.ToString(CultureInfo.InvariantCulture));
            Append(query, "explain", options.Explain ? "true" : null);
            foreach (var label in options.Labels ?? [])
            {
                Append(query, "label", label);
            }
        }

        return query.ToString();
    }

    private static void Append(StringBuilder query, string name, string? value)
    {
        if (value is not null)
        {
            query.Append(query.Length == 0 ? '?' : '&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
        }
    }
}
