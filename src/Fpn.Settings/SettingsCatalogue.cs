using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Fpn.Settings;

/// <summary>The sections of settings below <c>Fpn:</c>: each room of a program adds its own.</summary>
/// <remarks>Not thread-safe; used while the program registers its services.</remarks>
internal sealed class SettingsCatalogue
{
    private const string Root = "Fpn";

    private readonly IConfigurationSection _root;
    private readonly IServiceCollection _services;
    private readonly List<string> _sections = [];

    /// <summary>Creates a catalogue without sections.</summary>
    /// <param name="configuration">The whole configuration.</param>
    /// <param name="services">Takes the options.</param>
    /// <exception cref="SettingsException"><c>Fpn</c> itself has a value.</exception>
    public SettingsCatalogue(IConfiguration configuration, IServiceCollection services)
    {
        _root = configuration.GetSection(Root);
        _services = services;
        SettingsReader.RequireNoValue(_root);
    }

    /// <summary>Reads a section and registers its options as a singleton.</summary>
    /// <typeparam name="TOptions">A new instance holds the defaults.</typeparam>
    /// <param name="section">Name of the section, below <c>Fpn:</c>.</param>
    /// <returns>The options.</returns>
    /// <exception cref="SettingsException">A name in the section is unknown, or a value is wrong.</exception>
    public TOptions Add<TOptions>(string section)
        where TOptions : class, new()
    {
        var options = new TOptions();
        SettingsReader.Read(_root.GetSection(section), options);
        _services.AddSingleton(options);
        _sections.Add(section);
        return options;
    }

    /// <summary>Refuses sections that were not added; called when all are.</summary>
    /// <exception cref="SettingsException">There is one.</exception>
    public void RefuseUnknown()
    {
        foreach (var child in _root.GetChildren())
        {
            if (!_sections.Contains(child.Key, StringComparer.OrdinalIgnoreCase))
            {
                throw SettingsReader.Unknown(child.Path, _sections);
            }
        }
    }
}
