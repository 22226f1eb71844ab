using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Fpn.Settings;

/// <summary>
/// Reads the settings under <c>Fpn:</c> into options classes, and refuses what it does not know.
/// </summary>
/// <remarks>
/// The framework's binder ignores misspelt names, reads a bare <c>5</c> as five days and reports range errors without
/// the setting's full name. A setting that silently does nothing is worse than a start that fails.
/// </remarks>
internal static class SettingsReader
{
    private const string Root = "Fpn";

    /// <summary>Registers each section as a singleton.</summary>
    /// <param name="services">Where the options go.</param>
    /// <param name="configuration">The whole configuration.</param>
    /// <param name="sections">Section name below <c>Fpn:</c> and an instance with the defaults.</param>
    /// <exception cref="SettingsException">A name is unknown or a value is wrong.</exception>
    public static void AddSettings(this IServiceCollection services, IConfiguration configuration, params (string Section, object Options)[] sections)
    {
        var root = configuration.GetSection(Root);
        RequireNoValue(root);
        foreach (var child in root.GetChildren())
        {
            if (!Array.Exists(sections, section => Same(section.Section, child.Key)))
            {
                throw Unknown(child.Path, sections.Select(section => section.Section));
            }
        }

        foreach (var (section, options) in sections)
        {
            Read(root.GetSection(section), options);
            services.AddSingleton(options.GetType(), options);
        }
    }

    /// <summary>Reads one section into <paramref name="options"/>.</summary>
    /// <exception cref="SettingsException">A name is unknown or a value is wrong.</exception>
    public static void Read(IConfigurationSection section, object options)
    {
        RequireNoValue(section);
        var properties = options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance);
        foreach (var child in section.GetChildren())
        {
            var property = Array.Find(properties, candidate => Same(candidate.Name, child.Key))
                ?? throw Unknown(child.Path, properties.Select(candidate => candidate.Name));
            if (child.Value is null)
            {
                throw new SettingsException($"Setting '{child.Path}' must be a single value.");
            }

            var value = Parse(child, property.PropertyType);
            var context = new ValidationContext(options) { MemberName = property.Name, DisplayName = $"Setting '{child.Path}'" };
            var failures = new List<ValidationResult>();
            if (!Validator.TryValidateProperty(value, context, failures))
            {
                throw new SettingsException($"{failures[0].ErrorMessage?.TrimEnd('.')}; it is '{child.Value}'.");
            }

            property.SetValue(options, value);
        }
    }

    private static object Parse(IConfigurationSection setting, Type type)
    {
        var text = setting.Value!;
        if (type == typeof(string))
        {
            return text;
        }

        if (type == typeof(TimeSpan))
        {
            return DurationConverter.TryParse(text, out var duration) ? duration : throw Wrong(DurationConverter.Expected);
        }

        if (type.IsEnum)
        {
            // By name only: the framework would take numbers and lists too.
            var names = Enum.GetNames(type);
            return Array.Find(names, candidate => Same(candidate, text.Trim())) is { } name
                ? Enum.Parse(type, name)
                : throw Wrong("one of " + string.Join(", ", names).ToLowerInvariant());
        }

        if (type == typeof(bool))
        {
            return bool.TryParse(text, out var flag) ? flag : throw Wrong("true or false");
        }

        if (type == typeof(int))
        {
            return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? whole : throw Wrong("a whole number");
        }

        if (type == typeof(long))
        {
            return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? whole : throw Wrong("a whole number");
        }

        throw new InvalidOperationException($"Settings of type {type} are not read.");

        SettingsException Wrong(string expected) => new($"Setting '{setting.Path}' must be {expected}; it is '{text}'.");
    }

    /// <summary>Refuses <c>Fpn:Limits=5</c>, which would silently do nothing; not quoted, for it may be a key.</summary>
    private static void RequireNoValue(IConfigurationSection section)
    {
        if (!string.IsNullOrEmpty(section.Value))
        {
            throw new SettingsException($"Setting '{section.Path}' must hold settings; it has a value.");
        }
    }

    private static SettingsException Unknown(string path, IEnumerable<string> known) =>
        new($"Setting '{path}' is unknown; known here: {string.Join(", ", known)}.");

    private static bool Same(string left, string right) => left.Equals(right, StringComparison.OrdinalIgnoreCase);
}
