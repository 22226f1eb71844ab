using System.Globalization;
using Fpn.Models.Detectors;
using Fpn.Service.Answers;
using Fpn.Service.Bodies;
using Fpn.Service.Detect;
using Fpn.Service.Engine;
using Fpn.Service.Fetching;
using Fpn.Service.Json;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;
using Fpn.Serving.Pipeline;
using Fpn.Serving.Requests;
using Microsoft.Net.Http.Headers;
using SideBySide = Fpn.Service.Detect.SideBySide;

namespace Fpn.Service.Compatibility.Door;

/// <summary>
/// The way of every contract from a request to its detections: bodies, limits, keys, models, the queue and failures are
/// those of <c>/detect</c>.
/// </summary>
internal sealed class ContractDoor(
    LaneRegistry lanes,
    SideBySide images,
    BodyWait bodies,
    BodyMemory memory,
    ImageBodyReader reader,
    ImageFormReader forms,
    LimitsOptions limits,
    GuardedFetcher fetcher,
    KeyCheck keys)
{
    /// <summary>The models that are served, the default model first.</summary>
    public IReadOnlyList<ModelLane> Lanes => lanes.Lanes;

    /// <summary>The limits of bodies and images; <c>MaxBatchImages</c> is the most images of one request.</summary>
    public LimitsOptions Limits => limits;

    /// <summary>Finds a model.</summary>
    /// <param name="model">Its name; null for the default model.</param>
    /// <returns>A hold on it, which the caller disposes; or the problem that it is not served.</returns>
    public Outcome<LaneUse> Take(string? model) =>
        lanes.TryTake(model ?? lanes.DefaultModel, out var use)
            ? use
            : Problem.UnknownModel(model ?? lanes.DefaultModel, lanes.Names);

    /// <summary>Reads a body that must be JSON; clients that send another text type are understood as well.</summary>
    /// <returns>The bytes, which the caller disposes, or the problem.</returns>
    public async Task<Outcome<ImageBody>> ReadJsonAsync(HttpContext context)
    {
        var request = context.Request;
        if (BodyEncoding.Check(request) is { } compressed)
        {
            return compressed;
        }

        if (MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            && (type.Type.Equals("image", StringComparison.OrdinalIgnoreCase)
                || type.Type.Equals("multipart", StringComparison.OrdinalIgnoreCase)))
        {
            return Problem.NotJson(type.MediaType.ToString());
        }

        if (request.ContentLength > limits.MaxBatchBytes)
        {
            return Problem.BatchTooLarge(limits.MaxBatchBytes);
        }

        return await bodies.ForAsync(context, token => ImageBody.ReadAsync(
            request.Body, request.ContentLength, limits.MaxBatchBytes, Problem.BatchTooLarge, memory, token));
    }

    /// <summary>Reads a body that is an image, or a form with the part <c>image</c>.</summary>
    /// <returns>The image, which the caller disposes, or the problem.</returns>
    public async Task<Outcome<ImageBody>> ReadImageAsync(HttpContext context) =>
        BodyEncoding.Check(context.Request) is { } compressed
            ? compressed
            : await bodies.ForAsync(context, token => reader.ReadAsync(context.Request, token));

    /// <summary>Reads a body that is a form with an image and text fields, in any order.</summary>
    /// <param name="context">The request.</param>
    /// <param name="fields">Names of the fields that are read; others are skipped.</param>
    /// <returns>The form, which the caller disposes, or the problem.</returns>
    public async Task<Outcome<ImageForm>> ReadFormAsync(HttpContext context, params string[] fields) =>
        BodyEncoding.Check(context.Request) is { } compressed
            ? compressed
            : await bodies.ForAsync(context, token => forms.ReadAsync(context.Request, fields, token));

    /// <summary>Opens the images of a JSON body: base64 where it stands, URLs fetched side by side.</summary>
    /// <param name="context">The request.</param>
    /// <param name="body">The body; base64 is overwritten.</param>
    /// <param name="texts">[N] the places of the images.</param>
    /// <param name="path">The name of an image in problems, by its index.</param>
    /// <returns>[N] images, which the caller disposes before the body; or the first problem.</returns>
    /// <exception cref="OperationCanceledException">The client went away.</exception>
    public async Task<Outcome<ImageSet>> OpenAsync(
        HttpContext context, ImageBody body, IReadOnlyList<Base64Text> texts, Func<int, string> path)
    {
        var set = new ImageSet(texts.Count);
        try
        {
            // All have ended before the set is freed, also when one throws.
            var problems = await Task.WhenAll(texts.Select(
                (text, index) => OpenAsync(context, body, text, path(index), set, index)));
            if (Array.Find(problems, problem => problem is not null) is not { } first)
            {
                return set;
            }

            set.Dispose();
            return first;
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    /// <summary>Fetches an image.</summary>
    /// <param name="context">The request.</param>
    /// <param name="url">The URL as the request has it.</param>
    /// <param name="path">Its name in problems.</param>
    /// <returns>The image, which the caller disposes, or the problem.</returns>
    /// <exception cref="OperationCanceledException">The client went away.</exception>
    public Task<Outcome<ImageBody>> FetchAsync(HttpContext context, string url, string path) =>
        bodies.ForAsync(context, token => fetcher.FetchAsync(url, path, token));

    /// <summary>Admits a request by the key in its body, unless its headers had one.</summary>
    /// <param name="context">The request, whose endpoint has <see cref="KeyPlaces.InBody"/>.</param>
    /// <param name="key">The key; null for none.</param>
    /// <returns>Null, or the reason why the request is refused.</returns>
    public Problem? Admit(HttpContext context, string? key)
    {
        if (context.Caller() != Caller.WithoutKey)
        {
            return null;
        }

        return string.IsNullOrEmpty(key)
            ? Problem.KeyMissing()
            : keys.Admit(context, context.GetEndpoint()!.Metadata.GetMetadata<KeyRequirement>(), key);
    }

    /// <summary>Detects the objects of all images of a JSON body, which are base64 or URLs.</summary>
    /// <param name="context">The request; takes what the log says of it.</param>
    /// <param name="lane">The model that answers; the caller holds it.</param>
    /// <param name="filter">Which detections are answered.</param>
    /// <param name="body">The body; base64 is overwritten.</param>
    /// <param name="texts">[N] the places of the images.</param>
    /// <param name="path">The name of an image in problems, by its index.</param>
    /// <returns>[N] answers, in the order of the images; or the first problem.</returns>
    /// <exception cref="OperationCanceledException">The client went away.</exception>
    public Task<Outcome<DetectionAnswer[]>> DetectAsync(
        HttpContext context,
        ModelLane lane,
        DetectionFilter filter,
        ImageBody body,
        IReadOnlyList<Base64Text> texts,
        Func<int, string> path) =>
        OpenAsync(context, body, texts, path).UseAsync(
            images => DetectAsync(context, lane, filter, images.Images, path));

    /// <summary>
    /// Detects the objects of all images of a request, side by side; one that fails, fails the request.
    /// </summary>
    /// <param name="context">The request; takes what the log says of it.</param>
    /// <param name="lane">The model that answers; the caller holds it.</param>
    /// <param name="filter">Which detections are answered.</param>
    /// <param name="encoded">[N] encoded images; in use until the task is done.</param>
    /// <param name="path">The name of an image in problems, by its index; null where there is only one.</param>
    /// <returns>[N] answers, in the order of the images; or the first problem.</returns>
    /// <exception cref="OperationCanceledException">The client went away.</exception>
    public async Task<Outcome<DetectionAnswer[]>> DetectAsync(
        HttpContext context,
        ModelLane lane,
        DetectionFilter filter,
        ReadOnlyMemory<byte>[] encoded,
        Func<int, string>? path = null)
    {
        var run = await RunAsync(context, lane, encoded, furtherImages: Math.Max(0, encoded.Length - 1), Locate);
        if (!run.Succeeded(out var results, out var problem))
        {
            return problem;
        }

        var answers = Array.ConvertAll(results, result => DetectionAnswer.Create(lane.Model.Contract, filter, result));
        if (answers is [var single])
        {
            context.Features.Set(single);
        }
        else
        {
            var summary = new BatchSummary(lane.Model.Contract.Name, answers.Length);
            summary.Answered(answers.Sum(answer => answer.Detections.Count));
            context.Features.Set(summary);
        }

        return answers;

        Problem Locate(int index, Problem found) =>
            path is null ? found : found with { Parameter = path(index) };
    }

    /// <summary>Detects the objects of one of several images, each of which fails or succeeds for itself.</summary>
    /// <param name="context">The request; the caller notes what the log says of it.</param>
    /// <param name="lane">The model that answers; the caller holds it.</param>
    /// <param name="filter">Which detections are answered.</param>
    /// <param name="encoded">The encoded image; in use until the task is done.</param>
    /// <param name="path">The name of the image in problems.</param>
    /// <param name="turns">Shared by the images of the request.</param>
    /// <param name="isFirst">Whether it is the image that the request itself was charged for.</param>
    /// <exception cref="OperationCanceledException">The client went away.</exception>
    public async Task<Outcome<DetectionAnswer>> DetectOneAsync(
        HttpContext context,
        ModelLane lane,
        DetectionFilter filter,
        ReadOnlyMemory<byte> encoded,
        string path,
        ImageTurns turns,
        bool isFirst)
    {
        var further = isFirst ? 0 : 1;
        var run = await RunAsync(context, lane, [encoded], further, Locate, turns);
        return run.Succeeded(out var results, out var problem)
            ? DetectionAnswer.Create(lane.Model.Contract, filter, results[0])
            : problem;

        Problem Locate(int index, Problem found) => found with { Parameter = path };
    }

    /// <summary>The problem of a request with more images than are served at once.</summary>
    /// <param name="path">Name of the list.</param>
    public Problem TooManyImages(string path) => new(
        StatusCodes.Status413PayloadTooLarge,
        "batch-too-large",
        "Batch too large",
        string.Create(
            CultureInfo.InvariantCulture,
            $"'{path}' has more than {limits.MaxBatchImages} images, the most that is served at once. "
            + $"Send the rest in another request."));

    /// <summary>Charges the caller for its images, reads how urgent they are, and asks the model.</summary>
    private async Task<Outcome<DetectionResult[]>> RunAsync(
        HttpContext context,
        ModelLane lane,
        ReadOnlyMemory<byte>[] encoded,
        int furtherImages,
        Func<int, Problem, Problem> locate,
        ImageTurns? turns = null)
    {
        // A contract that forgets the key of a body is refused here.
        var caller = context.Caller();
        if (!caller.Scopes.HasFlag(KeyScope.Detect))
        {
            return Problem.KeyMissing();
        }

        if (!DetectHeaders.Parse(context.Request.Headers, caller).Succeeded(out var urgency, out var problem))
        {
            return problem;
        }

        caller.ChargeMore(furtherImages);
        var task = ImageTask.Detection;
        return await images.DetectAsync(
            lane, encoded, urgency, task, views: null, caller, locate, context.RequestAborted, turns);
    }

    private async Task<Problem?> OpenAsync(
        HttpContext context, ImageBody body, Base64Text text, string path, ImageSet set, int index)
    {
        if (ImageUrl.Find(body.Bytes.Span, text) is not { } url)
        {
            return InlineImage.Decode(body.Writable, text, limits, path, out set.Images[index]);
        }

        var fetch = await FetchAsync(context, url, path);
        if (!fetch.Succeeded(out var fetched, out var problem))
        {
            return problem;
        }

        set.Take(index, fetched);
        return null;
    }
}
