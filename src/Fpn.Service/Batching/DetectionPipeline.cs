using Fpn.Service.Imaging;
using Fpn.Service.Model;

namespace Fpn.Service.Batching;

/// <summary>Takes an image from its bytes to its detections: decoders side by side, one run on the device at a time.</summary>
internal sealed class DetectionPipeline(ImageDecoder decoder, ExecutionOptions execution, TimeProvider clock) : IDisposable
{
    private readonly SemaphoreSlim _decoders = new(execution.Threads);
    private readonly SemaphoreSlim _device = new(1);

    /// <summary>Detects the objects of one image.</summary>
    /// <param name="model">The model to ask.</param>
    /// <param name="encoded">The image's bytes; must not change until the task is done.</param>
    /// <param name="cancellationToken">Ends the wait for a decoder or the device.</param>
    /// <exception cref="Fpn.Detection.NonFiniteOutputException">The model gave NaN or infinity.</exception>
    /// <exception cref="ModelFailureException">The model failed.</exception>
    public async Task<DetectionResult> DetectAsync(ModelEntry model, ReadOnlyMemory<byte> encoded, CancellationToken cancellationToken)
    {
        var arrived = clock.GetTimestamp();
        await _decoders.WaitAsync(cancellationToken);
        var decodeStart = clock.GetTimestamp();
        DecodeOutcome decoded;
        try
        {
            decoded = await Task.Run(() => decoder.Decode(encoded.Span), CancellationToken.None);
        }
        finally
        {
            _decoders.Release();
        }

        var decodeEnd = clock.GetTimestamp();
        if (decoded.Image is not { } image)
        {
            return new DetectionResult { Failure = decoded.Failure, FailureDetail = decoded.Detail };
        }

        using (image)
        {
            await _device.WaitAsync(cancellationToken);
            try
            {
                return await Task.Run(() => Run(model.Detector, image, arrived, decodeStart, decodeEnd), CancellationToken.None);
            }
            finally
            {
                _device.Release();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _decoders.Dispose();
        _device.Dispose();
    }

    private DetectionResult Run(IDetector detector, DecodedImage image, long arrived, long decodeStart, long decodeEnd)
    {
        var start = clock.GetTimestamp();
        using var prepared = detector.Prepare(image);
        var prepareEnd = clock.GetTimestamp();
        using var inferred = detector.Infer(prepared);
        var inferEnd = clock.GetTimestamp();
        var detections = inferred.Select(0);
        var end = clock.GetTimestamp();
        return new DetectionResult
        {
            Detections = detections,
            Size = image.Size,
            Format = image.Format,
            BatchSize = 1,
            Times = new StageTimes(
                Decode: clock.GetElapsedTime(decodeStart, decodeEnd),
                Preprocess: clock.GetElapsedTime(start, prepareEnd),
                Queue: clock.GetElapsedTime(arrived, decodeStart) + clock.GetElapsedTime(decodeEnd, start),
                Inference: clock.GetElapsedTime(prepareEnd, inferEnd),
                Postprocess: clock.GetElapsedTime(inferEnd, end),
                Total: clock.GetElapsedTime(arrived, end)),
        };
    }
}
