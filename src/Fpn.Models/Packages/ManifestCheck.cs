using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;

namespace Fpn.Models.Packages;

/// <summary>Checks single keys of a <c>model.json</c>, with messages that name file and key.</summary>
/// <param name="file">The file, for messages.</param>
internal sealed class ManifestCheck(string file)
{
    /// <summary>The exception for <paramref name="key"/>.</summary>
    public ModelPackageException Failure(string key, string message) => new($"{file}: key '{key}' {message}.");

    /// <summary>Throws unless <paramref name="condition"/> holds.</summary>
    public void That([DoesNotReturnIf(false)] bool condition, string key, string message)
    {
        if (!condition)
        {
            throw Failure(key, message);
        }
    }

    /// <summary>The value, which must be there.</summary>
    public T Required<T>([NotNull] T? value, string key)
        where T : class => value is null or "" ? throw Failure(key, "is missing") : value;

    /// <inheritdoc cref="Required{T}(T, string)"/>
    public T Required<T>(T? value, string key)
        where T : struct => value ?? throw Failure(key, "is missing");

    /// <summary>Checks that the value, or else its default (null: required), lies in the range, ends
    /// included.</summary>
    public T Range<T>(T? value, string key, T? whenAbsent, T minimum, T maximum)
        where T : struct, INumber<T>
    {
        var number = Required(value ?? whenAbsent, key);

        // Written so that NaN fails.
        That(
            number >= minimum && number <= maximum,
            key,
            string.Create(CultureInfo.InvariantCulture, $"must be from {minimum} to {maximum}; it is {number}"));
        return number;
    }

    /// <summary>What the word stands for, or the default.</summary>
    public T Choice<T>(string? word, string key, T whenAbsent, params ReadOnlySpan<(string Word, T Meaning)> choices)
    {
        if (word is null)
        {
            return whenAbsent;
        }

        var known = new List<string>();
        foreach (var (candidate, meaning) in choices)
        {
            if (candidate == word)
            {
                return meaning;
            }

            known.Add($"\"{candidate}\"");
        }

        throw Failure(key, $"must be {string.Join(" or ", known)}; it is \"{word}\"");
    }
}
