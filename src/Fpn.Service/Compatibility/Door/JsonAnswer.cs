using System.Net.Mime;
using System.Text.Json;
using Fpn.Service.Json;

namespace Fpn.Service.Compatibility.Door;

/// <summary>An answer of a contract, written into pooled memory.</summary>
/// <param name="write">Writes one JSON value.</param>
internal sealed class JsonAnswer(Action<Utf8JsonWriter> write) : IResult
{
    /// <inheritdoc/>
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        using var buffer = new PooledBuffer();
        await using (var json = new Utf8JsonWriter(buffer, JsonText.ReadableWriter))
        {
            write(json);
        }

        var response = httpContext.Response;
        response.ContentType = MediaTypeNames.Application.Json;
        response.ContentLength = buffer.Length;
        await response.Body.WriteAsync(buffer.Written, httpContext.RequestAborted);
    }
}
