using System.Buffers;
using Grpc.Core;

namespace Fpn.Service.OpenInferenceGrpc;

/// <summary>A <c>ModelInferRequest</c> as it arrived.</summary>
/// <param name="Bytes">
/// The message, in the native memory that it was read into: valid until that is freed, which is up to the handler.
/// </param>
internal sealed record InferMessage(ReadOnlyMemory<byte> Bytes)
{
    /// <summary>Hands messages over as they are.</summary>
    public static Marshaller<InferMessage> Marshaller { get; } = new(
        (_, _) => throw new NotSupportedException("Requests are read, not written."),
        context => FromPayload(context.PayloadAsReadOnlySequence()));

    private static InferMessage FromPayload(ReadOnlySequence<byte> payload)
    {
        foreach (var piece in payload)
        {
            if (piece.Length == payload.Length)
            {
                return new InferMessage(piece);
            }
        }

        return payload.IsEmpty
            ? new InferMessage(ReadOnlyMemory<byte>.Empty)
            : throw new InvalidOperationException("The message was not read into one piece.");
    }
}
