using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Fpn.Client;

/// <summary>Asks an Fpn.Service to find objects in images.</summary>
/// <remarks>
/// <para>Thread-safe. Every call throws <see cref="FpnProblemException"/> for an answer that is not a success,
/// <see cref="HttpRequestException"/> when there is no answer or one that is not the service's,
/// <see cref="OperationCanceledException"/> when it is canceled, and the same with an inner
/// <see cref="TimeoutException"/> when it takes longer than <see cref="HttpClient.Timeout"/>.</para>
/// <para>Retries are made by <see cref="FpnRetryHandler"/>, which is part of what
/// <see cref="FpnClientRegistration.AddFpnClient"/> registers.</para>
/// </remarks>
public sealed class FpnClient
{
    private readonly HttpClient _http;
    private readonly Uri _address;

    /// <summary>Creates a client.</summary>
    /// <param name="http">Its <see cref="HttpClient.BaseAddress"/> is the service's; a key is one of its
    /// <see cref="HttpClient.DefaultRequestHeaders"/>. Not disposed.</param>
    /// <exception cref="ArgumentException">There is no base address.</exception>
    public FpnClient(HttpClient http)
    {
        ArgumentNullException.ThrowIfNull(http);
        _http = http;
        var address = http.BaseAddress
            ?? throw new ArgumentException("The HttpClient has no BaseAddress.", nameof(http));

        // Without the slash the last segment of a path would be replaced.
        _address = address.AbsolutePath.EndsWith('/') ? address : new Uri(address.GetLeftPart(UriPartial.Path) + "/");
    }

    /// <summary>Finds objects in one image.</summary>
    /// <param name="image">A JPEG, PNG, WebP, GIF, TIFF, AVIF or BMP file.</param>
    /// <param name="options">Null for the service's defaults.</param>
    /// <param name="cancellationToken">Ends the call; the service stops working on the image.</param>
    public async Task<DetectionResult> DetectAsync(
        ImageSource image, DetectOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        using var request = DetectRequest.Create(At("detect"), image.ToContent(), options, format: null);
        return await SendAsync(request, ClientJson.Default.DetectionResult, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Finds objects in several images with one request.</summary>
    /// <param name="images">At least one, and at most as many as the service takes (64 unless it is set
    /// otherwise).</param>
    /// <param name="options">Hold for each image; null for the service's defaults.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>An answer for each image, in the order of <paramref name="images"/>. An image that fails costs only
    /// itself: its answer has the problem.</returns>
    public async Task<IReadOnlyList<BatchItem>> DetectBatchAsync(
        IEnumerable<ImageSource> images, DetectOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var form = new BatchContent();
        foreach (var image in images)
        {
            form.AddImage(image.ToContent());
        }

        using var request = DetectRequest.Create(At("detect/batch"), form, options, format: null);
        using var response = await SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken)
            .ConfigureAwait(false);
        var body = await AnswerReader.ReadAsync(response, ClientJson.Default.BatchBody, cancellationToken)
            .ConfigureAwait(false);
        try
        {
            return body.ToItems();
        }
        catch (JsonException exception)
        {
            throw AnswerReader.NotUnderstood(response, exception);
        }
    }

    /// <summary>Finds objects in one image, and answers in another form: the picture with its boxes drawn, or the
    /// formats of COCO, Pascal VOC and YOLO.</summary>
    /// <param name="image">As for <see cref="DetectAsync"/>.</param>
    /// <param name="format">The form of the answer.</param>
    /// <param name="options">Null for the service's defaults. <see cref="DetectOptions.Explain"/> has no
    /// effect.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The answer as it arrives. The caller disposes it, which frees the connection.</returns>
    public async Task<Stream> RenderAsync(
        ImageSource image,
        OutputFormat format,
        DetectOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        using var request = DetectRequest.Create(At("detect"), image.ToContent(), options, format);
        var response = await SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken)
            .ConfigureAwait(false);
        return await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Lists the models that are served.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The default one first, then by name.</returns>
    public async Task<IReadOnlyList<ModelInfo>> ListModelsAsync(CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, At("models"));
        var list = await SendAsync(request, ClientJson.Default.ModelListBody, cancellationToken).ConfigureAwait(false);
        return list.Models;
    }

    /// <summary>Describes one model.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <exception cref="FpnProblemException">Of type <c>unknown-model</c>: it is not served.</exception>
    public async Task<ModelInfo> GetModelAsync(string name, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        using var request = new HttpRequestMessage(HttpMethod.Get, At($"models/{Uri.EscapeDataString(name)}"));
        return await SendAsync(request, ClientJson.Default.ModelInfo, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Asks once, without retries, whether the process runs.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>False for a 503.</returns>
    /// <exception cref="HttpRequestException">There is no answer.</exception>
    public Task<bool> IsLiveAsync(CancellationToken cancellationToken = default) =>
        IsHealthyAsync("health/live", cancellationToken);

    /// <summary>Asks once, without retries, whether all models are loaded and requests are answered.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>False for a 503: while models are loaded, and during a shutdown.</returns>
    /// <exception cref="HttpRequestException">There is no answer.</exception>
    public Task<bool> IsReadyAsync(CancellationToken cancellationToken = default) =>
        IsHealthyAsync("health/ready", cancellationToken);

    /// <summary>Asks once, without retries, whether the service is ready, and why.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    public async Task<HealthReport> GetHealthAsync(CancellationToken cancellationToken = default)
    {
        using var request = HealthRequest("health/ready");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        using var response = await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);

        // A service that is not ready reports with a 503; a proxy's 503 is a problem.
        var isReport = response.IsSuccessStatusCode
            || (response.StatusCode == HttpStatusCode.ServiceUnavailable
                && response.Content.Headers.ContentType?.MediaType == "application/json");
        return isReport
            ? await AnswerReader.ReadAsync(response, ClientJson.Default.HealthReport, cancellationToken)
                .ConfigureAwait(false)
            : throw await AnswerReader.ReadProblemAsync(response, cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> IsHealthyAsync(string path, CancellationToken cancellationToken)
    {
        using var request = HealthRequest(path);
        using var response = await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        return response.IsSuccessStatusCode
            || (response.StatusCode == HttpStatusCode.ServiceUnavailable
                ? false
                : throw await AnswerReader.ReadProblemAsync(response, cancellationToken).ConfigureAwait(false));
    }

    private HttpRequestMessage HealthRequest(string path)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, At(path));
        request.Options.Set(FpnRetryHandler.Once, true);
        return request;
    }

    private Uri At(string path) => new(_address, path);

    private async Task<T> SendAsync<T>(
        HttpRequestMessage request, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        using var response = await SendAsync(request, HttpCompletionOption.ResponseContentRead, cancellationToken)
            .ConfigureAwait(false);
        return await AnswerReader.ReadAsync(response, type, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Sends a request.</summary>
    /// <returns>A success; the caller disposes it.</returns>
    private async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, HttpCompletionOption completion, CancellationToken cancellationToken)
    {
        var response = await _http.SendAsync(request, completion, cancellationToken).ConfigureAwait(false);
        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw await AnswerReader.ReadProblemAsync(response, cancellationToken).ConfigureAwait(false);
        }
    }
}
