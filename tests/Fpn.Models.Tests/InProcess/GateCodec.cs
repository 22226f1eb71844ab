using Fpn.Imaging.Codecs;
using Fpn.Imaging.Vips;

namespace Fpn.Models.Tests.InProcess;

/// <summary>libvips behind a gate: images stop before they are decoded until the gate opens.</summary>
internal sealed class GateCodec : IImageCodec, IDisposable
{
    private readonly VipsCodec _codec = new();
    private readonly ManualResetEventSlim _open = new();
    private readonly SemaphoreSlim _arrived = new(0);

    public long MaxScannedPixels => _codec.MaxScannedPixels;

    public bool Reads(ImageFormat format) => _codec.Reads(format);

    /// <summary>Waits until so many images stand at the gate.</summary>
    public async Task ArrivedAsync(int images)
    {
        for (var image = 0; image < images; image++)
        {
            await _arrived.WaitAsync(TestContext.Current.CancellationToken);
        }
    }

    public void Open() => _open.Set();

    public unsafe ICodecImage? Open(byte* file, int length, ImageFormat format)
    {
        _arrived.Release();
        _open.Wait(TestContext.Current.CancellationToken);
        return _codec.Open(file, length, format);
    }

    public void Dispose()
    {
        _open.Dispose();
        _arrived.Dispose();
    }
}
