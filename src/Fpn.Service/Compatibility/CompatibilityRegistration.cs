using Fpn.Models.Loading;
using Fpn.Models.Options;
using Fpn.Service.Compatibility.Cvat;
using Fpn.Service.Compatibility.DeepStack;
using Fpn.Service.Compatibility.Doods;
using Fpn.Service.Compatibility.Door;
using Fpn.Service.Compatibility.HuggingFace;
using Fpn.Service.Compatibility.LabelStudio;
using Fpn.Service.Compatibility.LocalAI;
using Fpn.Service.Compatibility.Predict;
using Fpn.Service.Compatibility.Roboflow;
using Fpn.Service.Compatibility.SageMaker;
using Fpn.Service.Compatibility.Vertex;
using Fpn.Service.Observability;
using Fpn.Service.Problems;
using Fpn.Settings;
using Microsoft.Extensions.Configuration.CommandLine;
using Microsoft.Extensions.Configuration.Memory;

namespace Fpn.Service.Compatibility;

/// <summary>Contracts of other programs, each where it is asked for (docs/clients.md).</summary>
internal static class CompatibilityRegistration
{
    private const string All = "all";

    /// <summary>Registers all contracts.</summary>
    public static WebApplicationBuilder AddCompatibility(this WebApplicationBuilder builder, SettingsCatalogue settings)
    {
        settings.Add<CompatibilityOptions>("Compatibility");
        builder.Services
            .AddSingleton<ContractDoor>()
            .AddSingleton<TaskPredictor>()
            .AddSingleton<IProblemForm, ContractErrors>()
            .AddSingleton<PlatformProbe>()
            .AddSingleton<PredictEndpoint>()
            .AddSingleton<InvocationEndpoint>()
            .AddSingleton<IContract, CvatContract>()
            .AddSingleton<IContract, DeepStackContract>()
            .AddSingleton<IContract, DoodsContract>()
            .AddSingleton<IContract, HuggingFaceContract>()
            .AddSingleton<IContract, KServeContract>()
            .AddSingleton<IContract, LabelStudioContract>()
            .AddSingleton<IContract, LocalAIContract>()
            .AddSingleton<IContract, RoboflowContract>()
            .AddSingleton<IContract, SageMakerContract>()
            .AddSingleton<IContract, VertexContract>();
        return builder;
    }

    /// <summary>Takes the port and the folder of models from the platform that starts the service.</summary>
    /// <remarks>
    /// They override what an image was built with; what a person writes on the command line overrides them.
    /// </remarks>
    /// <exception cref="SettingsException">The platform asks for what is not served.</exception>
    public static WebApplicationBuilder AddPlatforms(this WebApplicationBuilder builder)
    {
        var configuration = builder.Configuration;
        var (sageMaker, vertex) = (SageMakerPlatform.Read(configuration), VertexPlatform.Read(configuration));
        builder.Services.AddSingleton(sageMaker).AddSingleton(vertex);
        if (sageMaker.IsMultiModel)
        {
            // Before the engine's own packages, which the settings name.
            builder.Services
                .AddSingleton(provider => new GivenPackages(new PackageLoader(
                    provider.GetRequiredService<ExecutionOptions>(),
                    provider.GetRequiredService<CudaOptions>(),
                    provider.GetRequiredService<ILogger<GivenPackages>>())))
                .AddSingleton<IModelPackages>(provider => provider.GetRequiredService<GivenPackages>())
                .AddSingleton<MultiModelEndpoints>();
        }

        var settings = new Dictionary<string, string?>(vertex.Settings);
        if (sageMaker.FindAddress(configuration) is { } address)
        {
            settings.TryAdd("urls", address);
        }

        if (settings.Count > 0)
        {
            var sources = ((IConfigurationBuilder)configuration).Sources;
            var commandLine = sources.OfType<CommandLineConfigurationSource>().LastOrDefault();
            sources.Insert(
                commandLine is null ? sources.Count : sources.IndexOf(commandLine),
                new MemoryConfigurationSource { InitialData = settings });
        }

        return builder;
    }

    /// <summary>Maps the endpoints of the contracts that the settings list, or the platform asks for.</summary>
    /// <exception cref="SettingsException">A name is unknown.</exception>
    public static WebApplication MapCompatibility(this WebApplication app)
    {
        var contracts = app.Services.GetServices<IContract>().OrderBy(contract => contract.Name, StringComparer.Ordinal)
            .ToArray();
        var served = ListSetting.Items(app.Services.GetRequiredService<CompatibilityOptions>().Served);
        var known = contracts.Select(contract => contract.Name).Append(All).ToArray();
        if (Array.Find(served, name => !known.Contains(name)) is { } wrong)
        {
            throw new SettingsException(
                $"Setting 'Fpn:Compatibility:Served' names '{wrong}', which is unknown; known: "
                + $"{string.Join(", ", known)}.");
        }

        foreach (var contract in contracts)
        {
            if (served.Contains(All) || served.Contains(contract.Name) || contract.IsAskedFor)
            {
                contract.Map(app.MapGroup(string.Empty)
                    .WithTags(contract.Title)
                    .WithDescription(contract.Description)
                    .WithMetadata(new ContractEndpoint(contract)));
            }
        }

        return app;
    }
}
