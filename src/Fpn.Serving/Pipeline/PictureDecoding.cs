using Fpn.Imaging.Decoding;

namespace Fpn.Serving.Pipeline;

/// <summary>Decodes when there is memory and a decoder: the one place where pixels come into being.</summary>
/// <param name="decodedBytes">Grants memory.</param>
/// <param name="slots">Admit decoders.</param>
internal sealed class PictureDecoding(ByteBudget decodedBytes, DecoderSlots slots)
{
    /// <summary>Whether an image is larger than the memory of all decoded images together, or than can be decoded at
    /// once, and can be read in parts.</summary>
    public bool WantsParts(OpenedImage opened) =>
        opened.ReadsRegions
        && (opened.DecodedBytes > decodedBytes.Limit || opened.Size.Area > ImageDecoder.MostWholePixels);

    /// <summary>Waits for memory and a decoder, and decodes.</summary>
    /// <param name="opened">Gives back what its codec keeps while it waits.</param>
    /// <param name="bytes">The most bytes that decoding takes.</param>
    /// <param name="decode">Decodes the image or a part of it, and what else needs its pixels at once.</param>
    /// <param name="cancellationToken">Ends the waiting; what decodes is awaited.</param>
    /// <returns>What that returned, and the lease of its memory, which the caller disposes in any case.</returns>
    /// <exception cref="OperationCanceledException">The wait was given up; nothing is held.</exception>
    public async Task<(T Decoded, IDisposable Lease)> DecodeAsync<T>(
        OpenedImage opened, long bytes, Func<T> decode, CancellationToken cancellationToken)
    {
        var memory = decodedBytes.TakeAsync(bytes, cancellationToken);
        opened.ParkUnless(memory.IsCompleted);
        var lease = await memory;
        try
        {
            var entry = slots.EnterAsync(cancellationToken);
            opened.ParkUnless(entry.IsCompleted);
            using var slot = await entry;

            // The bytes must outlive the decoder, so this is not given up half-way.
            return (await Task.Run(decode, CancellationToken.None), lease);
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }
}
