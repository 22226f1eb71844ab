using System.Net.Mime;
using System.Reflection;
using Fpn.Models.Loading;
using Fpn.Models.Packages;
using Fpn.Service.Observability;
using Fpn.Service.OpenInference.Outputs;
using Fpn.Service.Problems;
using Fpn.Service.Repository;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Fpn.Service.OpenInference;

/// <summary>The endpoints that describe the server and its models, and say whether they are ready.</summary>
internal static class MetadataEndpoints
{
    /// <summary>The protocol's name for models that ONNX Runtime runs.</summary>
    private const string Platform = "onnx_onnxv1";

    /// <summary>The protocol's extensions that are always served.</summary>
    private static readonly string[] Extensions = ["binary_tensor_data", "schedule_policy", "parameters", "statistics"];

    /// <summary><c>GET /v2</c>.</summary>
    public static IResult DescribeServer(ControlOptions control) => Results.Json(
        Describe(control),
        OpenInferenceJsonContext.Readable.ServerMetadataResponse,
        MediaTypeNames.Application.Json);

    /// <summary><c>GET /v2/health/live</c>.</summary>
    public static IResult Live() => Results.Json(
        new ServerLiveResponse(true),
        OpenInferenceJsonContext.Readable.ServerLiveResponse,
        MediaTypeNames.Application.Json);

    /// <summary><c>GET /v2/health/ready</c>: 200 for yes; 400 for no, which the protocol wants to be a 4xx.</summary>
    public static async Task<IResult> ReadyAsync(HttpContext context, HealthCheckService health)
    {
        var answer = await CheckAsync(health, context.RequestAborted);
        return Results.Json(
            answer,
            OpenInferenceJsonContext.Readable.ServerReadyResponse,
            MediaTypeNames.Application.Json,
            answer.Ready ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
    }

    /// <summary><c>GET /v2/models/{model}[/versions/{version}]</c>.</summary>
    public static IResult DescribeModel(string model, string? version, ServedModels models)
    {
        if (!models.Take(model, version).Succeeded(out var use, out var problem))
        {
            return new ProblemResult(problem);
        }

        using (use)
        {
            return Results.Json(
                Describe(use.Lane.Model.Contract, version, models),
                OpenInferenceJsonContext.Readable.ModelMetadataResponse,
                MediaTypeNames.Application.Json);
        }
    }

    /// <summary><c>GET /v2/models/{model}[/versions/{version}]/ready</c>: 200 for yes, 400 for no.</summary>
    public static IResult ModelReady(string model, string? version, ServedModels models)
    {
        if (!models.Take(model, version).Succeeded(out var use, out var problem))
        {
            return new ProblemResult(problem);
        }

        using (use)
        {
            var ready = !use.Lane.Model.IsLost;
            return Results.Json(
                new ModelReadyResponse(model, ready, ready ? null : ModelEntry.LostDetail(model)),
                OpenInferenceJsonContext.Readable.ModelReadyResponse,
                MediaTypeNames.Application.Json,
                ready ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
        }
    }

    /// <summary>What the server is.</summary>
    public static ServerMetadataResponse Describe(ControlOptions control) =>
        new("Fpn.Service", Version, control.Enabled ? [.. Extensions, "model_repository"] : Extensions);

    /// <summary>Whether every model can be asked.</summary>
    public static async Task<ServerReadyResponse> CheckAsync(
        HealthCheckService health, CancellationToken cancellationToken)
    {
        var report = await health.CheckHealthAsync(ObservabilityRegistration.IsReadiness, cancellationToken);
        var ready = report.Status == HealthStatus.Healthy;
        var reasons = report.Entries.Values
            .Where(entry => entry.Status != HealthStatus.Healthy)
            .Select(entry => entry.Description);
        return new ServerReadyResponse(Live: true, ready, ready ? null : string.Join(' ', reasons));
    }

    /// <summary>What a model takes, and what it gives to a request that names no outputs.</summary>
    /// <remarks>Outputs of proposals are not listed: some clients read every listed output from each answer, others ask
    /// for all of them.</remarks>
    /// <param name="contract">Its newest version, or the one that was asked for.</param>
    /// <param name="version">The version that was asked for; null for none.</param>
    /// <param name="models">Knows the others.</param>
    public static ModelMetadataResponse Describe(ModelContract contract, string? version, ServedModels models) => new(
        contract.Name,
        version is not null
            ? [version]
            : [.. models.Find(contract.Name).Select(lane => lane.Model.Contract.Version).Reverse()],
        Platform,
        [new TensorMetadataResponse(Tensors.Input, Tensors.InputDatatype, [-1])],
        [.. Tensors.OfDetections.Select(Describe)]);

    private static TensorMetadataResponse Describe(OutputTensor tensor) =>
        new(tensor.Name(), tensor.Datatype(), tensor.Width() > 1 ? [-1, tensor.Width()] : [-1]);

    private static string Version { get; } =
        typeof(MetadataEndpoints).Assembly
            .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}
