using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Pixels;
using Fpn.Imaging.Vips;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Loading;
using Fpn.Models.Options;
using Fpn.Models.Packages;

namespace Fpn.Models;

/// <summary>An image as the model takes it.</summary>
/// <param name="Batch">The image alone; disposed with this object.</param>
/// <param name="Size">As displayed.</param>
/// <param name="Format">Of the file; null for pixels.</param>
internal sealed record PreparedImage(PreparedBatch Batch, ImageSize Size, ImageFormat? Format) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => Batch.Dispose();
}

/// <summary>The two steps of a <see cref="Detector"/>: an image to the model's input, and that to detections.</summary>
/// <remarks>Thread-safe, <see cref="Dispose"/> included: the last run frees the model.</remarks>
internal sealed class LoadedModel : IDisposable
{
    private readonly ModelEntry _model;
    private readonly ImageDecoder _decoder;
    private readonly long _maxBytes;
    private readonly long _maxPixels;
    private volatile bool _disposed;

    /// <summary>Loads a model.</summary>
    /// <exception cref="ModelPackageException">A graph cannot be loaded or does not fit the manifest.</exception>
    /// <exception cref="InvalidOptionException">CUDA is demanded and cannot be used, or a native library is
    /// missing.</exception>
    public LoadedModel(ModelContract contract, DetectorOptions options)
    {
        (_maxBytes, _maxPixels) = (options.MaxImageBytes, options.MaxImagePixels);
        _decoder = NativeLibraries.Require(() => new ImageDecoder(
            _maxPixels, options.Codecs.Count > 0 ? [.. options.Codecs] : [new VipsCodec()]));
        var execution = new ExecutionOptions { Provider = options.Provider, Threads = options.Threads };
        var device = NativeLibraries.Require(() => SharedDevices.Open(execution, options.Cuda));
        _model = new ModelEntry(() => ModelPackages.Open(contract, device));
        Description = new ModelDescription(contract, device.Description);
        Streams = device.Description.Streams;
    }

    /// <summary>What the model is, and what it runs on.</summary>
    public ModelDescription Description { get; }

    /// <summary>Images that the device runs at the same time.</summary>
    public int Streams { get; }

    /// <summary>Refuses files that are too large.</summary>
    /// <exception cref="ImageRejectedException">This one is.</exception>
    public void RequireBytes(long bytes) => EncodedImage.RequireAtMost(_maxBytes, bytes);

    /// <summary>Reads a stream from its position to its end; leaves it open.</summary>
    /// <returns>The bytes; the caller disposes them.</returns>
    /// <exception cref="ImageRejectedException">There are more bytes than allowed.</exception>
    public EncodedImage Read(Stream stream, CancellationToken cancellationToken) =>
        EncodedImage.Read(stream, _maxBytes, cancellationToken);

    /// <inheritdoc cref="Read"/>
    public Task<EncodedImage> ReadAsync(Stream stream, CancellationToken cancellationToken) =>
        EncodedImage.ReadAsync(stream, _maxBytes, cancellationToken);

    /// <summary>Refuses pixels that are too many, or not as many as they should be.</summary>
    /// <exception cref="ArgumentException">A side is below 1, or <paramref name="rgb"/> is not 3 × width × height.
    /// </exception>
    /// <exception cref="ImageRejectedException">There are more pixels than allowed.</exception>
    public void RequirePixels(int width, int height, int rgb)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        var pixels = (long)width * height;
        if (pixels > _maxPixels)
        {
            throw new ImageRejectedException(
                ImageRejection.TooManyPixels, _decoder.TooManyPixelsDetail((uint)width, (uint)height));
        }

        if (rgb != 3 * pixels)
        {
            throw new ArgumentException(
                $"{width} x {height} RGB pixels are {3 * pixels} bytes, not {rgb}.", nameof(rgb));
        }
    }

    /// <summary>Decodes a file into the model's input.</summary>
    /// <returns>The image; the caller disposes it.</returns>
    /// <exception cref="ImageRejectedException">The image is too large, damaged, or not an image.</exception>
    public PreparedImage Prepare(ReadOnlySpan<byte> encoded, CancellationToken cancellationToken)
    {
        RequireLoaded();
        var decoded = _decoder.Decode(encoded);
        if (decoded.Image is not { } image)
        {
            throw new ImageRejectedException(RejectionFor(decoded.Failure), decoded.Detail);
        }

        using (image)
        {
            return Prepare(image, image.Format, cancellationToken);
        }
    }

    /// <summary>Turns pixels into the model's input.</summary>
    /// <param name="size">Their size.</param>
    /// <param name="rgb">[height, width, 3], no gaps.</param>
    /// <param name="cancellationToken">Gives up before the image is resized.</param>
    /// <returns>The image; the caller disposes it.</returns>
    public PreparedImage Prepare(ImageSize size, ReadOnlySpan<byte> rgb, CancellationToken cancellationToken)
    {
        RequireLoaded();
        using var image = new DecodedImage(ImageFormat.Bmp, size, PixelBuffer.Allocate(rgb.Length));
        rgb.CopyTo(image.WritablePixels);
        return Prepare(image, format: null, cancellationToken);
    }

    /// <summary>Runs the model. Blocks.</summary>
    /// <param name="image">Still the caller's afterwards.</param>
    /// <exception cref="ObjectDisposedException">The model was disposed before the run began.</exception>
    public ImageDetections Infer(PreparedImage image)
    {
        try
        {
            using var inferred = _model.Infer(image.Batch);
            return new ImageDetections
            {
                Size = image.Size,
                Format = image.Format,
                Objects = Array.ConvertAll(inferred.Select(0), Label),
            };
        }
        catch (DeviceLostException) when (_disposed)
        {
            throw new ObjectDisposedException(nameof(Detector));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _model.Dispose();
    }

    private static ImageRejection RejectionFor(DecodeFailure failure) => failure switch
    {
        DecodeFailure.UnsupportedFormat => ImageRejection.UnsupportedFormat,
        DecodeFailure.TooManyPixels => ImageRejection.TooManyPixels,
        _ => ImageRejection.Undecodable,
    };

    private PreparedImage Prepare(DecodedImage image, ImageFormat? format, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            // Its own padded size, as the service does on a CPU: padding beyond it would change the answer a little.
            var measured = _model.Measure(image);
            return new PreparedImage(
                _model.Detector.Prepare(measured.Geometry.Padded, [measured]), image.Size, format);
        }
        catch (DeviceLostException) when (_disposed)
        {
            throw new ObjectDisposedException(nameof(Detector));
        }
    }

    private LabeledObject Label(DetectedObject detected)
    {
        var found = Description.Classes[detected.Label];
        return LabeledObject.Create(detected, found.Label, found.Id);
    }

    /// <summary>Loads the model again where its device was lost.</summary>
    private void RequireLoaded()
    {
        ObjectDisposedException.ThrowIf(_disposed, typeof(Detector));
        if (_model.IsLost && _model.TryReload() is { } failure)
        {
            throw new DeviceLostException(
                $"{ModelEntry.LostDetail(Description.Name)} It cannot be loaded again: {failure.Message}", failure);
        }
    }
}
