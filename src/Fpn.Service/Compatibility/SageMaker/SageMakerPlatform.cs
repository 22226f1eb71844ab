using Fpn.Service.Commands;
using Fpn.Settings;

namespace Fpn.Service.Compatibility.SageMaker;

/// <summary>What SageMaker says when it starts the service: the argument <c>serve</c>, and variables.</summary>
/// <param name="IsServe">Whether the command line begins with <c>serve</c>.</param>
internal sealed record SageMakerPlatform(bool IsServe)
{
    private const string MultiModel = "SAGEMAKER_MULTI_MODEL";

    /// <summary>SageMaker asks this port.</summary>
    private const string Address = "http://+:8080";

    /// <summary>Settings that say where the service listens.</summary>
    private static readonly string[] Addresses = ["urls", "http_ports", "https_ports"];

    /// <summary>Reads what the platform says.</summary>
    /// <exception cref="SettingsException">It asks for multi-model mode.</exception>
    public static SageMakerPlatform Read(IConfiguration configuration)
    {
        if (bool.TryParse(configuration[MultiModel], out var isMultiModel) && isMultiModel)
        {
            throw new SettingsException(
                $"'{MultiModel}' is 'true', but models that SageMaker loads and unloads are not served. Put "
                + "the packages into one folder, and name the model in the custom attributes: model=NAME "
                + "(docs/clients.md).");
        }

        return new SageMakerPlatform(Environment.GetCommandLineArgs() is [_, ServiceCommands.Serve, ..]);
    }

    /// <summary>The address to listen at: SageMaker expects it, and does not say so.</summary>
    /// <returns>Null where settings name one, or SageMaker did not start the service.</returns>
    public string? FindAddress(IConfiguration configuration) =>
        IsServe
        && Array.TrueForAll(Addresses, name => string.IsNullOrWhiteSpace(configuration[name]))
        && !configuration.GetSection("Kestrel:Endpoints").GetChildren().Any()
            ? Address
            : null;
}
