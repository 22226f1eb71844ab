using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using Fpn.Service.Bodies;
using Fpn.Service.Connections;
using Fpn.Service.Lifetime;
using Fpn.Service.Problems;
using Fpn.Serving.Requests;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;

namespace Fpn.Service.GrpcPort;

/// <summary>
/// Reads the messages of a call, one at a time, each into native memory that counts like the body of an HTTP request;
/// gRPC's framework takes them from there without a copy.
/// </summary>
/// <remarks>
/// Stands in for the request's own pipe, in which the framework would let whole messages pile up, of all calls together
/// and uncounted. Not thread-safe. Disposing it frees the message that was not taken.
/// </remarks>
internal sealed class MessageReader(
    HttpContext context,
    long mostBytes,
    CallDeadline deadline,
    BodyMemory memory,
    Drain drain,
    ConnectionOptions connections,
    TimeProvider clock) : PipeReader, IRequestBodyPipeFeature, IDisposable
{
    /// <summary>Before each message: whether it is compressed, and its length, four bytes, big-endian.</summary>
    private const int HeadSize = 5;

    /// <summary>Besides the time that a message may take at the slowest rate.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    private readonly byte[] _head = new byte[HeadSize];
    private readonly Stream _body = context.Request.Body;
    private ReadOnlySequence<byte> _unread;
    private ImageBody? _message;
    private bool _ended;

    /// <inheritdoc/>
    PipeReader IRequestBodyPipeFeature.Reader => this;

    /// <summary>
    /// Why the messages ended before the client ended them; the last one that was read is empty then.
    /// </summary>
    /// <remarks>Not thrown: the framework would log it as an error of its own.</remarks>
    public Problem? Problem { get; private set; }

    /// <summary>Ends a call whose message was not read.</summary>
    /// <exception cref="RpcException">It was not, or the client went away.</exception>
    public static void Require(HttpContext context)
    {
        if (context.RequestAborted.IsCancellationRequested)
        {
            throw new RpcException(Status.DefaultCancelled);
        }

        if (context.Features.Get<MessageReader>() is { Problem: { } problem })
        {
            throw GrpcStatuses.Fail(problem, context);
        }
    }

    /// <summary>Takes over the message that was read last.</summary>
    /// <returns>Its bytes, which the caller disposes; null for a message without any.</returns>
    public ImageBody? TakeMessage()
    {
        var taken = _message;
        _message = null;
        return taken;
    }

    /// <inheritdoc/>
    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (_unread.IsEmpty && !_ended)
        {
            await ReadMessageAsync(cancellationToken);
        }

        return new ReadResult(_unread, isCanceled: false, isCompleted: _ended);
    }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        result = new ReadResult(_unread, isCanceled: false, isCompleted: _ended);
        return !_unread.IsEmpty || _ended;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed)
    {
        if (!_unread.IsEmpty)
        {
            _unread = _unread.Slice(consumed);
        }
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => AdvanceTo(consumed);

    /// <inheritdoc/>
    public override void CancelPendingRead() => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => Dispose();

    /// <inheritdoc/>
    public void Dispose()
    {
        TakeMessage()?.Dispose();
        (_unread, _ended) = (default, true);
    }

    /// <summary>Reads the next message, or finds that there is none.</summary>
    private async Task ReadMessageAsync(CancellationToken cancellationToken)
    {
        Problem = await TryReadAsync(cancellationToken);
        if (Problem is not null || context.RequestAborted.IsCancellationRequested)
        {
            // An empty message, so that the call reaches its handler, which asks for the problem.
            Array.Clear(_head);
            var head = new Part(_head, null);
            (_unread, _ended) = (new ReadOnlySequence<byte>(head, 0, head, HeadSize), true);
        }
    }

    private async Task<Problem?> TryReadAsync(CancellationToken cancellationToken)
    {
        var left = deadline.Left(clock);
        if (left <= TimeSpan.Zero)
        {
            return deadline.Passed();
        }

        using var expiry = new CancellationTokenSource(left ?? Timeout.InfiniteTimeSpan, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(
            cancellationToken, context.RequestAborted, expiry.Token, drain.LastCall);
        try
        {
            var read = await _body.ReadAtLeastAsync(_head, HeadSize, throwOnEndOfStream: false, either.Token);
            _ended = read == 0;
            return _ended ? null
                : _message is not null ? Problem.BadRequest("The call has more than one message.")
                : read < HeadSize ? CutOff()
                : _head[0] != 0 ? Compressed()
                : await ReadContentAsync(BinaryPrimitives.ReadUInt32BigEndian(_head.AsSpan(1)), either.Token);
        }
        catch (OperationCanceledException)
            when (!cancellationToken.IsCancellationRequested || context.RequestAborted.IsCancellationRequested)
        {
            return context.RequestAborted.IsCancellationRequested ? null
                : drain.LastCall.IsCancellationRequested ? BodyWait.Unarrived()
                : deadline.Passed();
        }
        catch (BadHttpRequestException exception)
        {
            return FailureProblems.FromException(exception);
        }
        catch (IOException) when (context.RequestAborted.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task<Problem?> ReadContentAsync(uint length, CancellationToken cancellationToken)
    {
        if (length > mostBytes)
        {
            return Problem.BatchTooLarge(mostBytes);
        }

        var head = new Part(_head, null);
        if (length == 0)
        {
            _unread = new ReadOnlySequence<byte>(head, 0, head, HeadSize);
            return null;
        }

        // The server watches the rate of calls with one message, but not of streams.
        using var slow = new CancellationTokenSource(
            Grace + TimeSpan.FromSeconds((double)length / connections.MinBytesPerSecond), clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, slow.Token);
        try
        {
            var read = await ImageBody.ReadAsync(
                new MessageSlice(_body, length), length, mostBytes, Problem.BatchTooLarge, memory, either.Token);
            if (!read.Succeeded(out _message, out var problem))
            {
                return problem;
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Problem.BodyTooSlow();
        }

        if (_message.Length < length)
        {
            return CutOff();
        }

        var content = new Part(_message.Bytes, head);
        _unread = new ReadOnlySequence<byte>(head, 0, content, _message.Length);
        return null;
    }

    private Problem Compressed() =>
        Problem.UnsupportedEncoding(context.Request.Headers.GrpcEncoding.ToString()) with
        {
            GrpcStatus = GrpcStatus.Unimplemented,
        };

    private static Problem CutOff() => Problem.BadRequest("The message is cut off.");

    /// <summary>A part of what is read: head or content of a message.</summary>
    private sealed class Part : ReadOnlySequenceSegment<byte>
    {
        public Part(ReadOnlyMemory<byte> bytes, Part? before)
        {
            Memory = bytes;
            if (before is not null)
            {
                RunningIndex = before.Memory.Length;
                before.Next = this;
            }
        }
    }
}
