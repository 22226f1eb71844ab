using Fpn.Service.Engine;
using Fpn.Service.GrpcPort;
using Fpn.Service.Security;
using Google.Protobuf;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;

namespace Fpn.Service.OpenInferenceGrpc;

/// <summary>Binds the methods of the service: who may call them, how large their messages may be, how they are read.
/// </summary>
/// <remarks>
/// In place of generated code, which would read requests with the reader that copies their images.
/// </remarks>
internal sealed class InferenceMethods(LimitsOptions limits) : IServiceMethodProvider<InferenceService>
{
    /// <inheritdoc/>
    public void OnServiceMethodDiscovery(ServiceMethodProviderContext<InferenceService> context)
    {
        AddSmall(
            context,
            "ServerLive",
            KeyScope.None,
            ServerLiveRequest.Parser,
            (_, r, c) => InferenceService.ServerLive(r, c));
        AddSmall(context, "ServerReady", KeyScope.None, ServerReadyRequest.Parser, (s, r, c) => s.ServerReady(r, c));
        AddSmall(context, "ModelReady", KeyScope.Detect, ModelReadyRequest.Parser, (s, r, c) => s.ModelReady(r, c));
        AddSmall(
            context,
            "ServerMetadata",
            KeyScope.Detect,
            ServerMetadataRequest.Parser,
            (s, r, c) => s.ServerMetadata(r, c));
        AddSmall(
            context, "ModelMetadata", KeyScope.Detect, ModelMetadataRequest.Parser, (s, r, c) => s.ModelMetadata(r, c));
        AddSmall(
            context,
            "ModelStatistics",
            KeyScope.Detect,
            ModelStatisticsRequest.Parser,
            (s, r, c) => s.ModelStatistics(r, c));
        AddSmall(
            context,
            "RepositoryIndex",
            KeyScope.Admin,
            RepositoryIndexRequest.Parser,
            (s, r, c) => s.RepositoryIndex(r, c));
        AddSmall(
            context,
            "RepositoryModelLoad",
            KeyScope.Admin,
            RepositoryModelLoadRequest.Parser,
            (s, r, c) => s.RepositoryModelLoad(r, c));
        AddSmall(
            context,
            "RepositoryModelUnload",
            KeyScope.Admin,
            RepositoryModelUnloadRequest.Parser,
            (s, r, c) => s.RepositoryModelUnload(r, c));
        context.AddUnaryMethod(
            Method("ModelInfer", MethodType.Unary, InferMessage.Marshaller, Written<ModelInferResponse>()),
            Metadata(KeyScope.Detect, limits.MaxBatchBytes),
            (service, request, call) => service.ModelInfer(request, call));
        context.AddDuplexStreamingMethod(
            Method(
                "ModelStreamInfer",
                MethodType.DuplexStreaming,
                InferMessage.Marshaller,
                Written<ModelStreamInferResponse>()),
            Metadata(KeyScope.Detect, limits.MaxBatchBytes),
            (service, requests, answers, call) => service.ModelStreamInfer(requests, answers, call));
    }

    private static void AddSmall<TRequest, TResponse>(
        ServiceMethodProviderContext<InferenceService> context,
        string name,
        KeyScope scope,
        MessageParser<TRequest> parser,
        UnaryServerMethod<InferenceService, TRequest, TResponse> answer)
        where TRequest : class, IMessage<TRequest>
        where TResponse : class, IMessage =>
        context.AddUnaryMethod(
            Method(name, MethodType.Unary, Read(parser), Written<TResponse>()),
            Metadata(scope, MessageLimit.Small),
            (service, request, call) =>
            {
                MessageReader.Require(call.GetHttpContext());
                return answer(service, request, call);
            });

    private static Method<TRequest, TResponse> Method<TRequest, TResponse>(
        string name, MethodType type, Marshaller<TRequest> request, Marshaller<TResponse> response) =>
        new(type, InferenceReflection.Descriptor.Services[0].FullName, name, request, response);

    private static List<object> Metadata(KeyScope scope, long mostBytes) =>
        [new KeyRequirement(scope), new MessageLimit(mostBytes)];

    private static Marshaller<TRequest> Read<TRequest>(MessageParser<TRequest> parser)
        where TRequest : class, IMessage<TRequest> =>
        new(
            (_, _) => throw new NotSupportedException("Requests are read, not written."),
            context => parser.ParseFrom(context.PayloadAsReadOnlySequence()));

    private static Marshaller<TResponse> Written<TResponse>()
        where TResponse : class, IMessage =>
        new(
            (message, context) =>
            {
                context.SetPayloadLength(message.CalculateSize());
                message.WriteTo(context.GetBufferWriter());
                context.Complete();
            },
            _ => throw new NotSupportedException("Answers are written, not read."));
}
