using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Loading;
using Fpn.Models.Options;
using Fpn.Models.Packages;

namespace Fpn.Models;

/// <summary>A model that is loaded into this process and finds objects in images.</summary>
/// <remarks>
/// <para>Thread-safe: any number of threads may call any of the methods at the same time. As many images as
/// <see cref="DetectorOptions.Threads"/> are worked on side by side; further calls wait, which bounds the
/// memory.</para>
/// <para>Looks at each image once, in the model's own size, also where the package has <c>views</c>: slices, scales and
/// mirror images are made by Fpn.Service only. Detections are those of one look by Fpn.Service with the same package,
/// to the last digit where both run on the CPU.</para>
/// <para>Cancellation takes effect between two steps (reading, decoding, resizing, running): a run of the graphs that
/// has begun is finished.</para>
/// <para><see cref="Dispose"/> may be called while others detect: what already runs on the model ends normally,
/// everything else throws <see cref="ObjectDisposedException"/>, and the last run frees the model.</para>
/// <para>Besides the exceptions of each method, detecting throws <see cref="ModelFailureException"/> where the model
/// fails, <see cref="NonFiniteOutputException"/> where it gives NaN or infinity, and <see cref="DeviceLostException"/>
/// where the GPU fails; the next call loads the model again.</para>
/// </remarks>
public sealed class Detector : IDisposable
{
    private readonly LoadedModel _model;
    private readonly Turns _images;
    private readonly Turns _runs;

    private Detector(ModelContract contract, DetectorOptions options)
    {
        _model = new LoadedModel(contract, options);
        _runs = new Turns(_model.Streams);

        // At least one more than run: an image is prepared meanwhile.
        _images = new Turns(Math.Max(options.Threads, _model.Streams + 1));
    }

    /// <summary>What the model is, and what it runs on.</summary>
    public ModelDescription Model => _model.Description;

    /// <summary>Loads a model package. Blocks, for seconds where the graphs are large.</summary>
    /// <param name="packageFolder">The package's folder, which holds <c>model.json</c>; its name does not
    /// matter.</param>
    /// <param name="options">How it runs; null for the defaults.</param>
    /// <returns>The model; the caller disposes it.</returns>
    /// <exception cref="ModelPackageException">The package is missing or wrong.</exception>
    /// <exception cref="InvalidOptionException">An option is out of range; or CUDA is demanded and cannot be used; or a
    /// native library is missing.</exception>
    public static Detector Load(string packageFolder, DetectorOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(packageFolder);
        options ??= new DetectorOptions();
        options.Check();
        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(packageFolder));
        return new Detector(VersionFolders.ReadPackage(folder), options);
    }

    /// <summary>Loads a model package on a thread of the pool.</summary>
    /// <param name="packageFolder">The package's folder, which holds <c>model.json</c>; its name does not
    /// matter.</param>
    /// <param name="options">How it runs; null for the defaults.</param>
    /// <param name="cancellationToken">Gives up; a model that is loaded meanwhile is disposed.</param>
    /// <returns>The model; the caller disposes it.</returns>
    /// <exception cref="ModelPackageException">The package is missing or wrong.</exception>
    /// <exception cref="InvalidOptionException">An option is out of range; or CUDA is demanded and cannot be used; or a
    /// native library is missing.</exception>
    /// <exception cref="OperationCanceledException">Loading was given up.</exception>
    public static async Task<Detector> LoadAsync(
        string packageFolder, DetectorOptions? options = null, CancellationToken cancellationToken = default)
    {
        var detector = await Task.Run(() => Load(packageFolder, options), cancellationToken).ConfigureAwait(false);
        if (cancellationToken.IsCancellationRequested)
        {
            detector.Dispose();
            throw new OperationCanceledException(cancellationToken);
        }

        return detector;
    }

    /// <summary>Detects the objects in an image file. Blocks.</summary>
    /// <param name="encoded">The whole file; not used after the call.</param>
    /// <param name="cancellationToken">Gives up between two steps.</param>
    /// <exception cref="ImageRejectedException">The image is too large, damaged, or not an image.</exception>
    /// <exception cref="OperationCanceledException">The call was given up.</exception>
    /// <exception cref="ObjectDisposedException">The detector was disposed.</exception>
    public ImageDetections Detect(ReadOnlySpan<byte> encoded, CancellationToken cancellationToken = default)
    {
        _model.RequireBytes(encoded.Length);
        using var turn = _images.Enter(cancellationToken);
        using var image = _model.Prepare(encoded, cancellationToken);
        return Infer(image, cancellationToken);
    }

    /// <summary>Detects the objects in an image file that is read from a stream. Blocks.</summary>
    /// <param name="stream">Read from its position to its end, and left open.</param>
    /// <param name="cancellationToken">Gives up between two steps.</param>
    /// <exception cref="ImageRejectedException">The image is too large, damaged, or not an image.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The call was given up.</exception>
    /// <exception cref="ObjectDisposedException">The detector was disposed.</exception>
    public ImageDetections Detect(Stream stream, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var encoded = _model.Read(stream, cancellationToken);
        return Detect(encoded.Bytes.Span, cancellationToken);
    }

    /// <summary>Detects the objects in pixels. Blocks.</summary>
    /// <param name="width">Columns, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="rgb">[height, width, 3] red, green, blue (sRGB), row by row from the top, without gaps; not used
    /// after the call.</param>
    /// <param name="cancellationToken">Gives up between two steps.</param>
    /// <exception cref="ArgumentException">There are not 3 × width × height bytes.</exception>
    /// <exception cref="ImageRejectedException">There are more pixels than allowed.</exception>
    /// <exception cref="OperationCanceledException">The call was given up.</exception>
    /// <exception cref="ObjectDisposedException">The detector was disposed.</exception>
    public ImageDetections DetectPixels(
        int width, int height, ReadOnlySpan<byte> rgb, CancellationToken cancellationToken = default)
    {
        _model.RequirePixels(width, height, rgb.Length);
        using var turn = _images.Enter(cancellationToken);
        using var image = _model.Prepare(new ImageSize(height, width), rgb, cancellationToken);
        return Infer(image, cancellationToken);
    }

    /// <summary>Detects the objects in an image file, on threads of the pool.</summary>
    /// <param name="encoded">The whole file; must not change until the task is done.</param>
    /// <param name="cancellationToken">Gives up between two steps.</param>
    /// <exception cref="ImageRejectedException">The image is too large, damaged, or not an image.</exception>
    /// <exception cref="OperationCanceledException">The call was given up.</exception>
    /// <exception cref="ObjectDisposedException">The detector was disposed.</exception>
    public async Task<ImageDetections> DetectAsync(
        ReadOnlyMemory<byte> encoded, CancellationToken cancellationToken = default)
    {
        _model.RequireBytes(encoded.Length);
        return await RunAsync(() => _model.Prepare(encoded.Span, cancellationToken), cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>Detects the objects in an image file that is read from a stream, on threads of the pool.</summary>
    /// <param name="stream">Read from its position to its end, and left open.</param>
    /// <param name="cancellationToken">Gives up between two steps.</param>
    /// <exception cref="ImageRejectedException">The image is too large, damaged, or not an image.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    /// <exception cref="OperationCanceledException">The call was given up.</exception>
    /// <exception cref="ObjectDisposedException">The detector was disposed.</exception>
    public async Task<ImageDetections> DetectAsync(Stream stream, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var encoded = await _model.ReadAsync(stream, cancellationToken).ConfigureAwait(false);
        return await DetectAsync(encoded.Bytes, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Detects the objects in pixels, on threads of the pool.</summary>
    /// <param name="width">Columns, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="rgb">[height, width, 3] red, green, blue (sRGB), row by row from the top, without gaps; must not
    /// change until the task is done.</param>
    /// <param name="cancellationToken">Gives up between two steps.</param>
    /// <exception cref="ArgumentException">There are not 3 × width × height bytes.</exception>
    /// <exception cref="ImageRejectedException">There are more pixels than allowed.</exception>
    /// <exception cref="OperationCanceledException">The call was given up.</exception>
    /// <exception cref="ObjectDisposedException">The detector was disposed.</exception>
    public async Task<ImageDetections> DetectPixelsAsync(
        int width, int height, ReadOnlyMemory<byte> rgb, CancellationToken cancellationToken = default)
    {
        _model.RequirePixels(width, height, rgb.Length);
        var size = new ImageSize(height, width);
        return await RunAsync(() => _model.Prepare(size, rgb.Span, cancellationToken), cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>Frees the model as soon as its last run has ended. Later calls do nothing.</summary>
    public void Dispose() => _model.Dispose();

    private async Task<ImageDetections> RunAsync(Func<PreparedImage> prepare, CancellationToken cancellationToken)
    {
        using var turn = await _images.EnterAsync(cancellationToken).ConfigureAwait(false);
        using var image = await Task.Run(prepare, cancellationToken).ConfigureAwait(false);
        using var run = await _runs.EnterAsync(cancellationToken).ConfigureAwait(false);
        return await Task.Run(() => _model.Infer(image), cancellationToken).ConfigureAwait(false);
    }

    private ImageDetections Infer(PreparedImage image, CancellationToken cancellationToken)
    {
        using var run = _runs.Enter(cancellationToken);
        return _model.Infer(image);
    }
}
