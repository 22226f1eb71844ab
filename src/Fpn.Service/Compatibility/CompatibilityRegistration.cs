using Fpn.Service.Compatibility.Cvat;
using Fpn.Service.Compatibility.DeepStack;
using Fpn.Service.Compatibility.Doods;
using Fpn.Service.Compatibility.Door;
using Fpn.Service.Compatibility.HuggingFace;
using Fpn.Service.Compatibility.Predict;
using Fpn.Service.Problems;
using Fpn.Settings;

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
            .AddSingleton<IProblemForm, ContractErrors>()
            .AddSingleton<IContract, CvatContract>()
            .AddSingleton<IContract, DeepStackContract>()
            .AddSingleton<IContract, DoodsContract>()
            .AddSingleton<IContract, HuggingFaceContract>()
            .AddSingleton<IContract, KServeContract>();
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
