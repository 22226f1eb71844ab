using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Fpn.Settings;

/// <summary>
/// Reads a section of settings into an options class, and refuses names and values that it does not know.
/// </summary>
/// <remarks>
/// The framework's binder ignores misspelt names, reads a bare <c>5</c> as five days and reports range errors without
/// the setting's full name. A setting that silently does nothing is worse than a start that fails.
/// </remarks>
internal static class SettingsReader
{
    /// <summary>Reads one section into <paramref name="options"/>.</summary>
    /// <param name="section">The section.</param>
    /// <param name="options">
    /// Holds the defaults; its public properties are the known names, and those that are objects are sections in it.
    /// </param>
    /// <exception cref="SettingsException">A name is unknown or a value is wrong.</exception>
    public static void Read(IConfigurationSection section, object options)
    {
        RequireNoValue(section);
        var properties = options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance);
        foreach (var child in section.GetChildren())
        {
            var property = Array.Find(properties, candidate => Same(candidate.Name, child.Key))
                ?? throw Unknown(child.Path, properties.Select(candidate => candidate.Name));
            if (property.PropertyType.IsClass && property.PropertyType != typeof(string))
            {
                Read(child, property.GetValue(options)!);
                continue;
            }

            if (child.Value is null)
            {
                throw new SettingsException($"Setting '{child.Path}' must be a single value.");
            }

            var value = Parse(child, property.PropertyType);
            var context = new ValidationContext(options)
            {
                MemberName = property.Name,
                DisplayName = $"Setting '{child.Path}'",
            };
            var failures = new List<ValidationResult>();
            if (!Validator.TryValidateProperty(value, context, failures))
            {
                throw new SettingsException($"{failures[0].ErrorMessage?.TrimEnd('.')}; it is '{child.Value}'.");
            }

            property.SetValue(options, value);
        }
    }

    /// <summary>
    /// Refuses a value where a section belongs (<c>Fpn:Limits=5</c>), which would silently do nothing.
    /// </summary>
    /// <remarks>The message does not quote the value, which may be a key.</remarks>
    /// <exception cref="SettingsException">There is one.</exception>
    public static void RequireNoValue(IConfigurationSection section)
    {
        if (!string.IsNullOrEmpty(section.Value))
        {
            throw new SettingsException($"Setting '{section.Path}' must hold settings; it has a value.");
        }
    }

    /// <summary>The exception for a name that is unknown.</summary>
    /// <param name="path">The whole name.</param>
    /// <param name="known">Names that are known in its place.</param>
    public static SettingsException Unknown(string path, IEnumerable<string> known) =>
        new($"Setting '{path}' is unknown; known here: {string.Join(", ", known)}.");

    private static object Parse(IConfigurationSection setting, Type type)
    {
        var text = setting.Value!;
        if (type == typeof(string))
        {
            return text;
        }

        if (type == typeof(TimeSpan))
        {
            return DurationConverter.TryParse(text, out var duration)
                ? duration
                : throw Wrong(DurationConverter.Expected);
        }

        if (type.IsEnum)
        {
            // By name only: the framework would also take numbers and lists.
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
            return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)
                ? whole
                : throw Wrong("a whole number");
        }

        if (type == typeof(long))
        {
            return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)
                ? whole
                : throw Wrong("a whole number");
        }

        throw new InvalidOperationException($"Settings of type {type} are not read.");

        SettingsException Wrong(string expected) =>
            new($"Setting '{setting.Path}' must be {expected}; it is '{text}'.");
    }

    private static bool Same(string left, string right) => left.Equals(right, StringComparison.OrdinalIgnoreCase);
}
