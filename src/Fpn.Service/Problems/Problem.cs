using Fpn.Serving.Requests;

namespace Fpn.Service.Problems;

/// <summary>A failure as the client reads it: the source of RFC 9457 problem details.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Type">Name of the failure: stable, documented in docs/errors.md; clients may compare it.</param>
/// <param name="Title">Short and the same for every problem of the type.</param>
/// <param name="Detail">The fault in this request, and what to do about it.</param>
internal sealed record Problem(int Status, string Type, string Title, string Detail)
{
    /// <summary>The query parameter or form part that was wrong, if one was.</summary>
    public string? Parameter { get; init; }

    /// <summary>The time after which a retry may succeed, if known.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The exception behind it, for the log: of a broken model, or a defect. Null for all others.</summary>
    public Exception? Cause { get; init; }

    /// <summary>The same in whole seconds, at least 1: goes out as <c>Retry-After</c> and in the body.</summary>
    public long? RetryAfterSeconds =>
        RetryAfter is { } wait ? Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)) : null;

    /// <summary>The gRPC status of an expected failure; null for other problems, whose HTTP status decides.</summary>
    public GrpcStatus? GrpcStatus { get; init; }

    public static Problem NoImage(string detail, string part) =>
        new(StatusCodes.Status400BadRequest, "no-image", "No image", detail) { Parameter = part };

    public static Problem TooManyImages(string detail) =>
        new(StatusCodes.Status400BadRequest, "too-many-images", "Too many images", detail) { Parameter = "image" };

    public static Problem BrokenMultipart(string detail) =>
        new(
            StatusCodes.Status400BadRequest,
            "broken-multipart",
            "Broken multipart body",
            detail);

    public static Problem BadRequest(string detail) =>
        new(
            StatusCodes.Status400BadRequest,
            "bad-request",
            "Bad request",
            detail);

    public static Problem BadParameter(string parameter, string detail) =>
        new(StatusCodes.Status400BadRequest, "bad-parameter", "Bad parameter", detail) { Parameter = parameter };

    public static Problem KeyMissing() =>
        new(
            StatusCodes.Status401Unauthorized,
            "key-missing",
            "Key missing",
            "Send an API key as X-Api-Key, or as Authorization: Bearer.");

    public static Problem KeyWrong(string detail) =>
        new(
            StatusCodes.Status401Unauthorized,
            "key-wrong",
            "Key wrong",
            detail);

    public static Problem IssuerUnreachable() =>
        new(
            StatusCodes.Status503ServiceUnavailable,
            "issuer-unreachable",
            "Issuer unreachable",
            "The issuer of tokens cannot be asked for its keys; the log says why.");

    /// <param name="key">The key's name.</param>
    /// <param name="scope">The scope that it would need; null where no key is accepted.</param>
    public static Problem ScopeMissing(string key, string? scope) =>
        new(
            StatusCodes.Status403Forbidden,
            "scope-missing",
            "Scope missing",
            scope is null ? "No key is let in here." : $"The key '{key}' does not have the scope '{scope}'.");

    /// <param name="key">The key's name.</param>
    /// <param name="asked">The priority that was asked for.</param>
    /// <param name="highest">The highest that the key may ask for.</param>
    public static Problem PriorityNotAllowed(string key, string asked, string highest) =>
        new(
            StatusCodes.Status403Forbidden,
            "priority-not-allowed",
            "Priority not allowed",
            $"The key '{key}' may not ask for the priority '{asked}'; its highest is '{highest}'.");

    /// <param name="key">The key's name.</param>
    /// <param name="retryAfter">The time until its next request is let in.</param>
    public static Problem RateExceeded(string key, TimeSpan retryAfter) =>
        new(
            StatusCodes.Status429TooManyRequests,
            "rate-exceeded",
            "Rate exceeded",
            $"The key '{key}' has asked more often than it may.")
        {
            RetryAfter = retryAfter,
        };

    public static Problem ControlOff() => new(
        StatusCodes.Status403Forbidden,
        "control-off",
        "Control off",
        "Models cannot be loaded or unloaded over HTTP here: the setting Fpn:Control:Enabled is off.");

    public static Problem ModelNotLoaded(string detail) =>
        new(StatusCodes.Status400BadRequest, "model-not-loaded", "Model not loaded", detail) { Parameter = "model" };

    public static Problem UnknownVersion(string model, string version, IEnumerable<string> loaded) =>
        new(
            StatusCodes.Status404NotFound,
            "unknown-version",
            "Unknown version",
            $"The model '{model}' has no version '{version}'. Loaded: {string.Join(", ", loaded)}.")
        {
            Parameter = "version",
        };

    public static Problem NotFound(HttpRequest request) =>
        new(
            StatusCodes.Status404NotFound,
            "not-found",
            "Not found",
            $"There is nothing at '{request.PathBase.Value}{request.Path.Value}'. "
                + $"{request.PathBase.Value}/swagger lists what there is.");

    /// <param name="path">Service and method, as the client called them.</param>
    public static Problem UnknownMethod(string path) =>
        new(
            StatusCodes.Status501NotImplemented,
            "unknown-method",
            "Unknown method",
            $"There is no gRPC method '{path}' here; reflection lists what there is.");

    public static Problem MethodNotAllowed(string method) =>
        new(
            StatusCodes.Status405MethodNotAllowed,
            "method-not-allowed",
            "Method not allowed",
            $"{method} is not served here; the header Allow says what is.");

    public static Problem NotAcceptable(string detail) =>
        new(StatusCodes.Status406NotAcceptable, "not-acceptable", "Not acceptable", detail);

    public static Problem BodyTooSlow() =>
        new(
            StatusCodes.Status408RequestTimeout,
            "body-too-slow",
            "Body too slow",
            "The body came too slowly or stopped. Send it again over a faster connection.");

    public static Problem ImageTooLarge(long limit) =>
        new(
            StatusCodes.Status413PayloadTooLarge,
            "image-too-large",
            "Image too large",
            $"The image is larger than {limit} bytes, the most that is served here.");

    public static Problem BatchTooLarge(long limit) =>
        new(
            StatusCodes.Status413PayloadTooLarge,
            "batch-too-large",
            "Batch too large",
            $"The body is larger than {limit} bytes, the most that is served here.");

    public static Problem TooManyBatchImages(int limit) => new(
        StatusCodes.Status413PayloadTooLarge,
        "batch-too-large",
        "Batch too large",
        $"The form has more than {limit} images, the most that is served at once. Send the rest in another request.");

    public static Problem TooManyRegions(int limit) => new(
        StatusCodes.Status413PayloadTooLarge,
        "too-many-regions",
        "Too many regions",
        $"There are more than {limit} boxes, the most that are classified at once. Send the rest in another request.")
    {
        Parameter = "boxes",
    };

    public static Problem TooManyScores(int boxes, int classes, long limit) => new(
        StatusCodes.Status413PayloadTooLarge,
        "too-many-regions",
        "Too many regions",
        $"{boxes} boxes with {classes} classes each are more than {limit} scores, the most of an answer. Ask for fewer "
            + "classes, or send the rest of the boxes in another request.")
    {
        Parameter = "top",
    };

    public static Problem UnsupportedEncoding(string encoding) =>
        new(
            StatusCodes.Status415UnsupportedMediaType,
            "unsupported-encoding",
            "Unsupported encoding",
            $"Content-Encoding '{encoding}' is not served here: "
                + "send the body as it is, images are compressed already.");

    public static Problem NotJson(string contentType) =>
        new(
            StatusCodes.Status415UnsupportedMediaType,
            "unsupported-body",
            "Unsupported body",
            $"The body must be JSON here; the Content-Type is '{contentType}'.");

    public static Problem InternalError() =>
        new(
            StatusCodes.Status500InternalServerError,
            "internal-error",
            "Internal error",
            "A defect of the service. The log names it under this traceId.");

    public static Problem NoBodyMemory() => FailureProblems.ProblemFor(
        FailureKind.QueueFull,
        "The bodies of other requests take all the memory that bodies may take (Fpn:Limits:MaxBodyBytes).");

    public static Problem UnknownModel(string model, IReadOnlyCollection<string> known) =>
        FailureProblems.ProblemFor(DetectionFailure.UnknownModel(model, known));

    public static Problem FromStatus(int status) =>
        new(
            status,
            "http-error",
            "HTTP error",
            $"The request was refused with status {status}.");
}
