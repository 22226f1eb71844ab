using Fpn.Service.Answers;
using Fpn.Service.GrpcPort;
using Fpn.Service.OpenInference;
using Fpn.Service.Problems;
using Fpn.Service.Repository;
using Google.Protobuf.Collections;
using Grpc.Core;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Fpn.Service.OpenInferenceGrpc;

/// <summary>The methods of <c>inference.GRPCInferenceService</c>.</summary>
internal sealed class InferenceService(
    ServedModels models,
    HealthCheckService health,
    ControlOptions control,
    RepositoryControl repository,
    ModelStatisticsReport statistics,
    InferRunner runner,
    InferStream stream)
{
    /// <summary>Whether the server answers.</summary>
    public static Task<ServerLiveResponse> ServerLive(ServerLiveRequest request, ServerCallContext context) =>
        Task.FromResult(new ServerLiveResponse { Live = true });

    /// <summary>Whether every model can be asked.</summary>
    public async Task<ServerReadyResponse> ServerReady(ServerReadyRequest request, ServerCallContext context)
    {
        var answer = await MetadataEndpoints.CheckAsync(health, context.CancellationToken);
        return new ServerReadyResponse { Ready = answer.Ready };
    }

    /// <summary>Whether a model can be asked; one that is not served cannot, which is no failure.</summary>
    public Task<ModelReadyResponse> ModelReady(ModelReadyRequest request, ServerCallContext context)
    {
        var ready = false;
        if (models.Take(request.Name, VersionOrNewest(request.Version)).Succeeded(out var use, out _))
        {
            using (use)
            {
                ready = !use.Lane.Model.IsLost;
            }
        }

        return Task.FromResult(new ModelReadyResponse { Ready = ready });
    }

    /// <summary>What the server is.</summary>
    public Task<ServerMetadataResponse> ServerMetadata(ServerMetadataRequest request, ServerCallContext context)
    {
        var server = MetadataEndpoints.Describe(control);
        return Task.FromResult(new ServerMetadataResponse
        {
            Name = server.Name,
            Version = server.Version,
            Extensions = { server.Extensions },
        });
    }

    /// <summary>What a model takes and gives.</summary>
    public Task<ModelMetadataResponse> ModelMetadata(ModelMetadataRequest request, ServerCallContext context)
    {
        var version = VersionOrNewest(request.Version);
        if (!models.Take(request.Name, version).Succeeded(out var use, out var problem))
        {
            throw GrpcStatuses.Fail(problem, context.GetHttpContext());
        }

        using (use)
        {
            var model = MetadataEndpoints.Describe(use.Lane.Model.Contract, version, models);
            return Task.FromResult(new ModelMetadataResponse
            {
                Name = model.Name,
                Versions = { model.Versions },
                Platform = model.Platform,
                Inputs = { model.Inputs.Select(Tensor) },
                Outputs = { model.Outputs.Select(Tensor) },
            });
        }
    }

    /// <summary>What the models have done.</summary>
    public Task<ModelStatisticsResponse> ModelStatistics(ModelStatisticsRequest request, ServerCallContext context) =>
        statistics
            .Create(request.Name.Length == 0 ? null : request.Name, VersionOrNewest(request.Version))
            .Succeeded(out var report, out var problem)
            ? Task.FromResult(StatisticsAnswer.Create(report))
            : throw GrpcStatuses.Fail(problem, context.GetHttpContext());

    /// <summary>Finds objects in images.</summary>
    public async Task<ModelInferResponse> ModelInfer(InferMessage request, ServerCallContext context)
    {
        var http = context.GetHttpContext();
        MessageReader.Require(http);
        ModelInferResponse? answer;
        try
        {
            if (!InferQueryReader.ReadAddress(request.Bytes).Succeeded(out var address, out var problem)
                || !(await runner.AnswerAsync(request.Bytes, address, http)).Succeeded(out answer, out problem))
            {
                throw GrpcStatuses.Fail(problem, http);
            }
        }
        catch (Exception exception) when (IsDefect(exception, http))
        {
            throw GrpcStatuses.Fail(FailureProblems.FromException(exception), http);
        }
        catch (OperationCanceledException)
        {
            throw new RpcException(Status.DefaultCancelled);
        }

        var summary = new BatchSummary(answer.ModelName, 1);
        summary.Answered((int)answer.Outputs[0].Shape[0]);
        http.Features.Set(summary);
        return answer;
    }

    /// <summary>Finds objects in the images of many requests.</summary>
    public Task ModelStreamInfer(
        IAsyncStreamReader<InferMessage> requests,
        IServerStreamWriter<ModelStreamInferResponse> answers,
        ServerCallContext context) => stream.RunAsync(requests, answers, context);

    /// <summary>Lists the model packages.</summary>
    public Task<RepositoryIndexResponse> RepositoryIndex(RepositoryIndexRequest request, ServerCallContext context)
    {
        Require(repository.CheckEnabled(), context);
        return Task.FromResult(new RepositoryIndexResponse
        {
            Models =
            {
                repository.List(request.Ready).Select(model => new RepositoryIndexResponse.Types.ModelIndex
                {
                    Name = model.Name,
                    Version = model.Version ?? string.Empty,
                    State = model.State ?? string.Empty,
                    Reason = model.Reason ?? string.Empty,
                }),
            },
        });
    }

    /// <summary>Loads a model package, or loads it again.</summary>
    public async Task<RepositoryModelLoadResponse> RepositoryModelLoad(
        RepositoryModelLoadRequest request, ServerCallContext context)
    {
        Require(repository.CheckEnabled() ?? Check(request.Parameters), context);
        Require(await repository.LoadAsync(request.ModelName), context);
        return new RepositoryModelLoadResponse();
    }

    /// <summary>Takes a model out of service.</summary>
    public async Task<RepositoryModelUnloadResponse> RepositoryModelUnload(
        RepositoryModelUnloadRequest request, ServerCallContext context)
    {
        Require(
            repository.CheckEnabled() ?? Check(request.Parameters, RepositoryControl.UnloadDependents), context);
        Require(await repository.UnloadAsync(request.ModelName), context);
        return new RepositoryModelUnloadResponse();
    }

    /// <summary>Whether an exception is neither an answer nor the end of a client that went away.</summary>
    public static bool IsDefect(Exception exception, HttpContext http) =>
        exception is not RpcException
        && !(exception is OperationCanceledException && http.RequestAborted.IsCancellationRequested);

    private static string? VersionOrNewest(string version) => version.Length == 0 ? null : version;

    private static ModelMetadataResponse.Types.TensorMetadata Tensor(TensorMetadataResponse tensor) => new()
    {
        Name = tensor.Name,
        Datatype = tensor.Datatype,
        Shape = { tensor.Shape.Select(size => (long)size) },
    };

    private static Problem? Check(MapField<string, ModelRepositoryParameter> parameters, params string[] known) =>
        parameters
            .Select(parameter => RepositoryControl.CheckParameter(
                parameter.Key,
                parameter.Value.ParameterChoiceCase == ModelRepositoryParameter.ParameterChoiceOneofCase.BoolParam,
                known))
            .FirstOrDefault(problem => problem is not null);

    private static void Require(Problem? problem, ServerCallContext context)
    {
        if (problem is not null)
        {
            throw GrpcStatuses.Fail(problem, context.GetHttpContext());
        }
    }
}
