using Fpn.Service.Problems;
using Microsoft.Net.Http.Headers;

namespace Fpn.Service.Bodies;

/// <summary>Content encodings of bodies: none is supported, since images are compressed already.</summary>
internal static class BodyEncoding
{
    /// <summary>Refuses a body that its headers declare compressed.</summary>
    /// <returns>The problem, or null.</returns>
    public static Problem? Check(HttpRequest request)
    {
        var encoding = request.Headers.ContentEncoding.ToString();
        if (encoding.Length == 0 || encoding.Equals("identity", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        request.HttpContext.Response.Headers[HeaderNames.AcceptEncoding] = "identity";
        return Problem.UnsupportedEncoding(encoding);
    }
}
