using Fpn.Service.Commands;

namespace Fpn.Service.Compatibility.SageMaker;

/// <summary>What SageMaker says when it starts the service: the argument <c>serve</c>, and variables.</summary>
/// <param name="IsServe">Whether the command line begins with <c>serve</c>.</param>
/// <param name="IsMultiModel">Whether SageMaker loads and unloads the models.</param>
internal sealed record SageMakerPlatform(bool IsServe, bool IsMultiModel = false)
{
    private const string MultiModel = "SAGEMAKER_MULTI_MODEL";

    /// <summary>SageMaker asks this port.</summary>
    private const string Address = "http://+:8080";

    /// <summary>Settings that say where the service listens.</summary>
    private static readonly string[] Addresses = ["urls", "http_ports", "https_ports"];

    /// <summary>Whether SageMaker starts the service.</summary>
    public bool IsAskedFor => IsServe || IsMultiModel;

    /// <summary>Reads what the platform says.</summary>
    public static SageMakerPlatform Read(IConfiguration configuration) => new(
        Environment.GetCommandLineArgs() is [_, ServiceCommands.Serve, ..],
        bool.TryParse(configuration[MultiModel], out var isMultiModel) && isMultiModel);

    /// <summary>The address to listen at: SageMaker expects it, and does not say so.</summary>
    /// <returns>Null where settings name one, or SageMaker did not start the service.</returns>
    public string? FindAddress(IConfiguration configuration) =>
        IsServe
        && Array.TrueForAll(Addresses, name => string.IsNullOrWhiteSpace(configuration[name]))
        && !configuration.GetSection("Kestrel:Endpoints").GetChildren().Any()
            ? Address
            : null;
}
