using Fpn.Service.Answers;
using Fpn.Service.Bodies;
using Fpn.Service.Problems;

namespace Fpn.Service.Detect;

/// <summary>The images of one request, each on its way to its answer.</summary>
/// <param name="detect">Answers one image unless it is given up; takes ownership of nothing.</param>
/// <param name="keepsBodies">
/// Whether the bytes of an image are needed after its detections: otherwise they are freed at once.
/// </param>
/// <param name="clock">Measures when images arrive.</param>
/// <remarks>
/// Not thread-safe. Disposing it gives up the images that are not answered yet, waits for them, and frees everything.
/// </remarks>
internal sealed class DetectionBatch(
    Func<ImageBody, CancellationToken, Task<Outcome<DetectionAnswer>>> detect,
    bool keepsBodies,
    TimeProvider clock) : IAsyncDisposable
{
    private readonly CancellationTokenSource _givenUp = new();
    private readonly List<Image> _images = [];

    /// <summary>The images, in the order in which they were sent.</summary>
    public IReadOnlyList<Image> Images => _images;

    /// <summary>Takes the next image and starts detection.</summary>
    /// <param name="image">Its bytes, which belong to the batch from now on, or the problem why it has none.</param>
    public void Add(Outcome<ImageBody> image)
    {
        var arrived = clock.GetTimestamp();
        _images.Add(image.Succeeded(out var body, out var problem)
            ? new Image(arrived, body, DetectAsync(body))
            : new Image(arrived, null, Task.FromResult<Outcome<DetectionAnswer>>(problem)));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _givenUp.CancelAsync();
        foreach (var image in _images)
        {
            // The bytes must outlive the work on them, whether it succeeds or not.
            await ((Task)image.Answer).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            image.Dispose();
        }

        _givenUp.Dispose();
    }

    private async Task<Outcome<DetectionAnswer>> DetectAsync(ImageBody body)
    {
        var answered = false;
        try
        {
            var answer = await detect(body, _givenUp.Token);
            answered = answer.Succeeded(out _, out _);
            return answer;
        }
        finally
        {
            if (!keepsBodies || !answered)
            {
                body.Dispose();
            }
        }
    }

    /// <summary>One image.</summary>
    /// <param name="arrived">Time stamp of its last byte.</param>
    /// <param name="body">Its bytes, if it has any.</param>
    /// <param name="answer">What becomes of it.</param>
    internal sealed class Image(long arrived, ImageBody? body, Task<Outcome<DetectionAnswer>> answer) : IDisposable
    {
        /// <summary>Time stamp of its last byte.</summary>
        public long Arrived => arrived;

        /// <summary>Its detections or its problem; a problem without a reader when the batch is given up.</summary>
        public Task<Outcome<DetectionAnswer>> Answer => answer;

        /// <summary>Its bytes; there where it was answered and the batch keeps them.</summary>
        /// <exception cref="InvalidOperationException">It never had any.</exception>
        public ReadOnlyMemory<byte> Bytes =>
            body?.Bytes ?? throw new InvalidOperationException("The image was refused.");

        /// <summary>Frees the bytes; later calls do nothing.</summary>
        public void Dispose() => body?.Dispose();
    }
}
