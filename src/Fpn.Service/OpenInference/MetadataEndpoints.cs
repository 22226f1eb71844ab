using System.Net.Mime;
using System.Reflection;
using Fpn.Models.Loading;
using Fpn.Service.Observability;
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
    private static readonly string[] Extensions = ["binary_tensor_data", "schedule_policy", "parameters"];

    /// <summary><c>GET /v2</c>.</summary>
    public static IResult DescribeServer(ControlOptions control) => Results.Json(
        new ServerMetadataResponse(
            "Fpn.Service", Version, control.Enabled ? [.. Extensions, "model_repository"] : Extensions),
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
        var report = await health.CheckHealthAsync(ObservabilityRegistration.IsReadiness, context.RequestAborted);
        var ready = report.Status == HealthStatus.Healthy;
        var reasons = report.Entries.Values
            .Where(entry => entry.Status != HealthStatus.Healthy)
            .Select(entry => entry.Description);
        return Results.Json(
            new ServerReadyResponse(Live: true, ready, ready ? null : string.Join(' ', reasons)),
            OpenInferenceJsonContext.Readable.ServerReadyResponse,
            MediaTypeNames.Application.Json,
            ready ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
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
            var contract = use.Lane.Model.Contract;
            return Results.Json(
                new ModelMetadataResponse(
                    contract.Name,
                    [contract.Version],
                    Platform,
                    [new TensorMetadataResponse(Tensors.Input, Tensors.InputDatatype, [-1])],
                    [.. Tensors.All.Select(Describe)]),
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

    private static TensorMetadataResponse Describe(OutputTensor tensor) =>
        new(tensor.Name(), tensor.Datatype(), tensor.Width() > 1 ? [-1, tensor.Width()] : [-1]);

    private static string Version { get; } =
        typeof(MetadataEndpoints).Assembly
            .GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}
