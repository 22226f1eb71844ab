namespace Fpn.Service.Problems;

/// <summary>An expected failure: what RFC 9457 problem details are made of.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Type">Stable and documented (docs/errors.md); clients may compare it.</param>
/// <param name="Title">Short and the same for every problem of the type.</param>
/// <param name="Detail">What was wrong here, and what to do.</param>
internal sealed record Problem(int Status, string Type, string Title, string Detail)
{
    /// <summary>The query parameter or form part that was wrong, if one was.</summary>
    public string? Parameter { get; init; }

    /// <summary>When another try is worth while, if known.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The same in whole seconds, at least 1: goes out as <c>Retry-After</c> and in the body.</summary>
    public long? RetryAfterSeconds =>
        RetryAfter is { } wait ? Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)) : null;

    public static Problem NoImage(string detail, string part) =>
        new(StatusCodes.Status400BadRequest, "no-image", "No image", detail) { Parameter = part };

    public static Problem TooManyImages(string detail) =>
        new(StatusCodes.Status400BadRequest, "too-many-images", "Too many images", detail) { Parameter = "image" };

    public static Problem BrokenMultipart(string detail) => new(StatusCodes.Status400BadRequest, "broken-multipart", "Broken multipart body", detail);

    public static Problem BadRequest(string detail) => new(StatusCodes.Status400BadRequest, "bad-request", "Bad request", detail);

    public static Problem BadParameter(string parameter, string detail) =>
        new(StatusCodes.Status400BadRequest, "bad-parameter", "Bad parameter", detail) { Parameter = parameter };

    public static Problem KeyMissing() =>
        new(StatusCodes.Status401Unauthorized, "key-missing", "Key missing", "Send an API key as X-Api-Key, or as Authorization: Bearer.");

    public static Problem KeyWrong(string detail) => new(StatusCodes.Status401Unauthorized, "key-wrong", "Key wrong", detail);

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
        new(StatusCodes.Status429TooManyRequests, "rate-exceeded", "Rate exceeded", $"The key '{key}' has asked more often than it may.")
        {
            RetryAfter = retryAfter,
        };

    public static Problem UnknownModel(string model, IReadOnlyCollection<string> known) =>
        new(StatusCodes.Status404NotFound, "unknown-model", "Unknown model", $"There is no model '{model}'. Known: {(known.Count > 0 ? string.Join(", ", known) : "none")}.")
        {
            Parameter = "model",
        };

    public static Problem ControlOff() => new(
        StatusCodes.Status403Forbidden,
        "control-off",
        "Control off",
        "Models cannot be loaded or unloaded over HTTP here: the setting Fpn:Control:Enabled is off.");

    public static Problem ModelNotLoaded(string detail) =>
        new(StatusCodes.Status400BadRequest, "model-not-loaded", "Model not loaded", detail) { Parameter = "model" };

    public static Problem UnknownVersion(string model, string version, string loaded) =>
        new(StatusCodes.Status404NotFound, "unknown-version", "Unknown version", $"The model '{model}' has no version '{version}'. Loaded: {loaded}.")
        {
            Parameter = "version",
        };

    public static Problem NotFound(HttpRequest request) =>
        new(
            StatusCodes.Status404NotFound,
            "not-found",
            "Not found",
            $"There is nothing at '{request.PathBase.Value}{request.Path.Value}'. {request.PathBase.Value}/swagger lists what there is.");

    public static Problem MethodNotAllowed(string method) =>
        new(StatusCodes.Status405MethodNotAllowed, "method-not-allowed", "Method not allowed", $"{method} is not served here; the header Allow says what is.");

    public static Problem NotAcceptable(string detail) =>
        new(StatusCodes.Status406NotAcceptable, "not-acceptable", "Not acceptable", detail);

    public static Problem BodyTooSlow() =>
        new(StatusCodes.Status408RequestTimeout, "body-too-slow", "Body too slow", "The body came too slowly or stopped. Send it again over a faster connection.");

    public static Problem ImageTooLarge(long limit) =>
        new(StatusCodes.Status413PayloadTooLarge, "image-too-large", "Image too large", $"The image is larger than {limit} bytes, the most that is served here.");

    public static Problem BatchTooLarge(long limit) =>
        new(StatusCodes.Status413PayloadTooLarge, "batch-too-large", "Batch too large", $"The body is larger than {limit} bytes, the most that is served here.");

    public static Problem TooManyBatchImages(int limit) => new(
        StatusCodes.Status413PayloadTooLarge,
        "batch-too-large",
        "Batch too large",
        $"The form has more than {limit} images, the most that is served at once. Send the rest in another request.");

    public static Problem TooManyPixels(string detail) => new(StatusCodes.Status413PayloadTooLarge, "too-many-pixels", "Too many pixels", detail);

    public static Problem UnsupportedImageFormat(string detail) =>
        new(StatusCodes.Status415UnsupportedMediaType, "unsupported-image-format", "Unsupported image format", detail);

    public static Problem UnsupportedEncoding(string encoding) =>
        new(
            StatusCodes.Status415UnsupportedMediaType,
            "unsupported-encoding",
            "Unsupported encoding",
            $"Content-Encoding '{encoding}' is not served here: send the body as it is, images are compressed already.");

    public static Problem UndecodableImage(string detail) =>
        new(StatusCodes.Status422UnprocessableEntity, "undecodable-image", "Undecodable image", detail);

    public static Problem ModelOutputNotFinite(string detail) =>
        new(StatusCodes.Status500InternalServerError, "model-output-not-finite", "Model output not finite", detail);

    public static Problem ModelFailure(string detail) => new(StatusCodes.Status500InternalServerError, "model-failure", "Model failure", detail);

    public static Problem InternalError() =>
        new(StatusCodes.Status500InternalServerError, "internal-error", "Internal error", "A defect of the service. The log names it under this traceId.");

    public static Problem QueueFull(string detail, TimeSpan? retryAfter) =>
        new(StatusCodes.Status503ServiceUnavailable, "queue-full", "Queue full", detail) { RetryAfter = retryAfter ?? TimeSpan.FromSeconds(1) };

    public static Problem NoBodyMemory() => QueueFull(
        "The bodies of other requests take all the memory that bodies may take (Fpn:Limits:MaxBodyBytes).", retryAfter: null);

    public static Problem ShuttingDown(string detail) =>
        new(StatusCodes.Status503ServiceUnavailable, "shutting-down", "Shutting down", detail) { RetryAfter = TimeSpan.FromSeconds(1) };

    public static Problem DeviceLost(string detail) =>
        new(StatusCodes.Status503ServiceUnavailable, "device-lost", "Device lost", detail) { RetryAfter = TimeSpan.FromSeconds(5) };

    public static Problem DeadlinePassed(string detail) =>
        new(StatusCodes.Status504GatewayTimeout, "deadline-passed", "Deadline passed", detail);

    public static Problem FromStatus(int status) => new(status, "http-error", "HTTP error", $"The request was refused with status {status}.");
}
