using System.Text.Json;
using Fpn.Settings;

namespace Fpn.Service.Fetching;

/// <summary>What the service shows to hosts that know it: the value of <c>Authorization</c>, by origin.</summary>
internal sealed class FetchCredentials
{
    private const int LargestFile = 64 << 10;
    private const string Shape = "an object that gives origins their credentials, such as "
        + "{ \"https://images.example.com\": \"Bearer …\" }";

    private static readonly JsonDocumentOptions Options = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        AllowDuplicateProperties = false,
        MaxDepth = 2,
    };

    private readonly Dictionary<string, string> _byOrigin = new(StringComparer.Ordinal);

    private FetchCredentials()
    {
    }

    /// <summary>Reads all places in which credentials are configured.</summary>
    /// <param name="options">Names the places.</param>
    /// <param name="hosts">The hosts that are fetched from.</param>
    /// <param name="contentRoot">The folder that a relative path starts from.</param>
    /// <exception cref="SettingsException">
    /// A place cannot be read, its content is wrong, or an origin is not fetched from. The message quotes nothing of
    /// the content, since a credential may stand anywhere in it.
    /// </exception>
    public static FetchCredentials Read(FetchOptions options, AllowedHosts hosts, string contentRoot)
    {
        var credentials = new FetchCredentials();
        if (options.CredentialsFile is { } file)
        {
            credentials.Add(ReadFile(Path.Combine(contentRoot, file)), "'Fpn:Fetch:CredentialsFile'", hosts);
        }

        if (options.CredentialsJson is { } json)
        {
            credentials.Add(json, "'Fpn:Fetch:CredentialsJson'", hosts);
        }

        return credentials;
    }

    /// <summary>The value of <c>Authorization</c> for the origin of a URL; null if it has no credentials.</summary>
    public string? For(FetchTarget target) => _byOrigin.GetValueOrDefault(target.Origin);

    private static string ReadFile(string path)
    {
        try
        {
            return new FileInfo(path).Length <= LargestFile
                ? File.ReadAllText(path)
                : throw new SettingsException(
                    $"Setting 'Fpn:Fetch:CredentialsFile': '{path}' is longer than {LargestFile} bytes.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SettingsException($"Setting 'Fpn:Fetch:CredentialsFile': {exception.Message}", exception);
        }
    }

    private void Add(string json, string setting, AllowedHosts hosts)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Options);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                throw new SettingsException($"Setting {setting} must be {Shape}.");
            }

            var number = 0;
            foreach (var member in document.RootElement.EnumerateObject())
            {
                Add(member, $"Setting {setting}: entry {++number}", hosts);
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Neither its message nor itself as the inner exception: both may quote a credential.
            throw new SettingsException($"Setting {setting} is not JSON, or repeats a member; it must be {Shape}.");
        }
    }

    private void Add(JsonProperty member, string where, AllowedHosts hosts)
    {
        if (!FetchTarget.TryParse(member.Name, out var target)
            || target.Uri.PathAndQuery != "/"
            || target.Uri.Fragment.Length > 0)
        {
            throw new SettingsException($"{where} must be named for an origin such as https://images.example.com.");
        }

        if (!hosts.Allows(target))
        {
            throw new SettingsException($"{where} is for a host that 'Fpn:Fetch:Hosts' does not list.");
        }

        var value = member.Value.ValueKind == JsonValueKind.String ? member.Value.GetString()! : string.Empty;
        if (value.Length == 0 || value.Trim() != value || !value.All(character => character is >= ' ' and <= '~'))
        {
            throw new SettingsException(
                $"{where} must be the value of an Authorization header, one line of ASCII: Bearer and a token, say.");
        }

        if (!_byOrigin.TryAdd(target.Origin, value))
        {
            throw new SettingsException($"{where} is for an origin that has credentials already.");
        }
    }
}
