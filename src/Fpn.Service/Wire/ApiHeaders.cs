namespace Fpn.Service.Wire;

/// <summary>Names of the headers that are this service's own or a protocol's, and no part of HTTP.</summary>
internal static class ApiHeaders
{
    /// <summary>Request: the API key.</summary>
    public const string Key = "X-Api-Key";

    /// <summary>Request and response: the id that logs give the request.</summary>
    public const string RequestId = "X-Request-Id";

    /// <summary>Request: high, normal or low.</summary>
    public const string Priority = "X-Priority";

    /// <summary>Request: milliseconds that the answer is worth waiting for.</summary>
    public const string Timeout = "X-Request-Timeout-Ms";

    /// <summary>Request and response of the Open Inference Protocol: bytes of the body that are JSON.</summary>
    public const string JsonLength = "Inference-Header-Content-Length";
}
