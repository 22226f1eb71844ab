using System.Runtime.InteropServices;
using Fpn.Service.OpenInferenceGrpc;
using Fpn.Service.Tests.OpenInference;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Fpn.Service.Tests.OpenInferenceGrpc;

/// <summary>Calls to a service through .NET's client and Google's messages.</summary>
internal class GrpcClient : IDisposable
{
    private const string Name = "inference.GRPCInferenceService";

    private GrpcChannel _channel;

    /// <summary>Opens a channel.</summary>
    public GrpcClient(Uri address)
    {
        Address = address;
        _channel = Connect(address);
        Invoker = _channel.CreateCallInvoker();
    }

    /// <summary>Address of the service for gRPC.</summary>
    public Uri Address { get; }

    /// <summary>Calls methods of any service.</summary>
    public CallInvoker Invoker { get; private set; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A request for images, each after its length.</summary>
    public static ModelInferRequest Request(string model, params byte[][] images) => new()
    {
        ModelName = model,
        Inputs =
        {
            new ModelInferRequest.Types.InferInputTensor
            {
                Name = "image", Datatype = "BYTES", Shape = { images.Length },
            },
        },
        RawInputContents = { ByteString.CopyFrom(InferCall.Binary(images)) },
    };

    /// <summary>The same request with typed contents in place of raw ones.</summary>
    public static ModelInferRequest Typed(string model, params byte[][] images)
    {
        var request = Request(model, images);
        request.RawInputContents.Clear();
        request.Inputs[0].Contents = new InferTensorContents();
        request.Inputs[0].Contents.BytesContents.AddRange(images.Select(image => ByteString.CopyFrom(image)));
        return request;
    }

    /// <summary>Sends the calls that follow to another address, such as a proxy's.</summary>
    public void GoThrough(Uri address)
    {
        _channel.Dispose();
        _channel = Connect(address);
        Invoker = _channel.CreateCallInvoker();
    }

    /// <summary>Calls <c>ModelInfer</c>.</summary>
    public AsyncUnaryCall<ModelInferResponse> Infer(
        ModelInferRequest request, TimeSpan? deadline = null, params (string Name, string Value)[] metadata) =>
        Call<ModelInferRequest, ModelInferResponse>("ModelInfer", request, deadline, metadata);

    /// <summary>Calls <c>ModelInfer</c>, and cancels the call when the test says so.</summary>
    public AsyncUnaryCall<ModelInferResponse> InferUntil(ModelInferRequest request, CancellationTokenSource gone) =>
        Invoker.AsyncUnaryCall(
            Method<ModelInferRequest, ModelInferResponse>(MethodType.Unary, "ModelInfer"),
            null,
            new CallOptions(cancellationToken: gone.Token),
            request);

    /// <summary>Calls a method with one message each way.</summary>
    public AsyncUnaryCall<TResponse> Call<TRequest, TResponse>(
        string method, TRequest request, TimeSpan? deadline = null, params (string Name, string Value)[] metadata)
        where TRequest : class, IMessage
        where TResponse : class, IMessage<TResponse>, new() =>
        Invoker.AsyncUnaryCall(
            Method<TRequest, TResponse>(MethodType.Unary, method),
            null,
            Options(deadline, metadata),
            request);

    /// <summary>Opens <c>ModelStreamInfer</c>.</summary>
    public AsyncDuplexStreamingCall<ModelInferRequest, ModelStreamInferResponse> Stream(
        TimeSpan? deadline = null, params (string Name, string Value)[] metadata) =>
        Invoker.AsyncDuplexStreamingCall(
            Method<ModelInferRequest, ModelStreamInferResponse>(MethodType.DuplexStreaming, "ModelStreamInfer"),
            null,
            Options(deadline, metadata));

    /// <summary>Sends bytes in place of a message.</summary>
    public AsyncUnaryCall<ModelInferResponse> Send(byte[] message) => Invoker.AsyncUnaryCall(
        new Method<byte[], ModelInferResponse>(
            MethodType.Unary,
            Name,
            "ModelInfer",
            Marshallers.Create(bytes => bytes, bytes => bytes),
            Read<ModelInferResponse>()),
        null,
        Options(null, []),
        message);

    /// <summary>The failure of a call that must fail.</summary>
    public static async Task<RpcException> FailAsync<TResponse>(
        AsyncUnaryCall<TResponse> call, StatusCode status, string type)
    {
        using (call)
        {
            var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
            Assert.True(failure.StatusCode == status, $"{failure.Status} where {status} was expected");
            Assert.Equal(type, failure.Trailers.GetValue("problem-type"));
            return failure;
        }
    }

    /// <summary>The numbers of a raw output.</summary>
    public static T[] Raw<T>(ModelInferResponse answer, string output)
        where T : unmanaged
    {
        var index = answer.Outputs.Select(found => found.Name).ToList().IndexOf(output);
        Assert.Equal(answer.Outputs.Count, answer.RawOutputContents.Count);

        // As on the wire: little-endian, which is also what this machine reads.
        Assert.True(BitConverter.IsLittleEndian);
        var numbers = MemoryMarshal.Cast<byte, T>(answer.RawOutputContents[index].Span).ToArray();
        Assert.Equal(answer.Outputs[index].Shape.Aggregate(1L, (product, size) => product * size), numbers.Length);
        return numbers;
    }

    public virtual void Dispose() => _channel.Dispose();

    private static GrpcChannel Connect(Uri address) => GrpcChannel.ForAddress(
        address, new GrpcChannelOptions { MaxSendMessageSize = null, MaxReceiveMessageSize = null });

    private static CallOptions Options(TimeSpan? deadline, (string Name, string Value)[] metadata)
    {
        var headers = new Metadata();
        foreach (var (name, value) in metadata)
        {
            headers.Add(name, value);
        }

        return new CallOptions(
            headers,
            deadline is { } time ? TimeProvider.System.GetUtcNow().UtcDateTime + time : null,
            Cancel);
    }

    private static Method<TRequest, TResponse> Method<TRequest, TResponse>(MethodType type, string name)
        where TRequest : class, IMessage
        where TResponse : class, IMessage<TResponse>, new() =>
        new(
            type,
            Name,
            name,
            Marshallers.Create<TRequest>(
                message => message.ToByteArray(), _ => throw new NotSupportedException("Sent, not received.")),
            Read<TResponse>());

    private static Marshaller<TResponse> Read<TResponse>()
        where TResponse : class, IMessage<TResponse>, new() =>
        Marshallers.Create(
            _ => throw new NotSupportedException("Received, not sent."),
            new MessageParser<TResponse>(() => new TResponse()).ParseFrom);
}
