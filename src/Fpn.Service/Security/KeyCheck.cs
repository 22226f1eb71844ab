using System.Buffers.Text;
using System.Net;
using System.Text;
using Fpn.Service.Problems;
using Fpn.Service.Wire;

namespace Fpn.Service.Security;

/// <summary>Finds the key of a request and admits its caller.</summary>
internal sealed class KeyCheck(ApiKeys keys)
{
    private const string BearerScheme = "Bearer ";
    private const string BasicScheme = "Basic ";

    /// <summary>Whether keys are asked for.</summary>
    public bool IsOn => keys.IsOn;

    /// <summary>Admits a request by what comes before its body.</summary>
    /// <param name="context">The request; takes the caller.</param>
    /// <param name="requirement">The scope that the endpoint asks for; null admits no caller.</param>
    /// <param name="places">Further places of the key; null for none.</param>
    /// <returns>Null, or the reason why the request is refused.</returns>
    public Problem? Admit(HttpContext context, KeyRequirement? requirement, KeyPlaces? places)
    {
        var problem = Find(context.Request, places, out var key);
        if (problem is null)
        {
            return Admit(context, requirement, key);
        }

        if (places is null || problem.Type != Problem.KeyMissing().Type)
        {
            return problem;
        }

        if (context.Connection.RemoteIpAddress is { } address && places.TrustedNetworks.Any(Holds))
        {
            context.Features.Set(Caller.Trusted);
            return null;
        }

        if (!places.InBody)
        {
            return problem;
        }

        context.Features.Set(Caller.WithoutKey);
        return null;

        bool Holds(IPNetwork network) =>
            network.Contains(address) || (address.IsIPv4MappedToIPv6 && network.Contains(address.MapToIPv4()));
    }

    /// <summary>Admits a request by its key.</summary>
    /// <param name="context">The request; takes the caller.</param>
    /// <param name="requirement">The scope that the endpoint asks for; null admits no caller.</param>
    /// <param name="key">The key as it was sent.</param>
    /// <returns>Null, or the reason why the request is refused.</returns>
    public Problem? Admit(HttpContext context, KeyRequirement? requirement, ReadOnlySpan<char> key)
    {
        if (!keys.TryFind(key, out var caller))
        {
            return Problem.KeyWrong("The key is not valid here.");
        }

        context.Features.Set(caller);
        if (requirement is null || !caller.Scopes.HasFlag(requirement.Scope))
        {
            return Problem.ScopeMissing(caller.Name!, requirement?.Name);
        }

        return caller.TryEnter(out var retryAfter) ? null : Problem.RateExceeded(caller.Name!, retryAfter);
    }

    /// <summary>Finds the key of a request.</summary>
    /// <returns>Null, or the reason why no usable key was sent.</returns>
    private static Problem? Find(HttpRequest request, KeyPlaces? places, out ReadOnlySpan<char> key)
    {
        key = default;
        var (own, authorization) = (request.Headers[ApiHeaders.Key], request.Headers.Authorization);
        if (own.Count > 1 || authorization.Count > 1)
        {
            return Problem.KeyWrong("The key is given more than once.");
        }

        // Other schemes are left alone: a proxy in front may have asked for a password of its own.
        var value = authorization.ToString();
        var isBearer = value.StartsWith(BearerScheme, StringComparison.OrdinalIgnoreCase);
        var bearer = isBearer ? value.AsSpan(BearerScheme.Length).Trim() : default;
        key = own.Count == 1 ? own[0].AsSpan().Trim() : bearer;
        if (own.Count == 1 && !bearer.IsEmpty && !bearer.SequenceEqual(key))
        {
            return Problem.KeyWrong($"{ApiHeaders.Key} and Authorization give different keys.");
        }

        if (key.IsEmpty && places is not null)
        {
            key = Elsewhere(request, places, value);
        }

        return key.IsEmpty ? Problem.KeyMissing() : null;
    }

    private static ReadOnlySpan<char> Elsewhere(HttpRequest request, KeyPlaces places, string authorization)
    {
        if (places.Header is { } header && request.Headers[header] is [{ Length: > 0 } sent])
        {
            return sent.AsSpan().Trim();
        }

        if (places.Query is { } query && request.Query[query] is [{ Length: > 0 } parameter])
        {
            return parameter.AsSpan().Trim();
        }

        return places.Basic && authorization.StartsWith(BasicScheme, StringComparison.OrdinalIgnoreCase)
            ? Password(authorization.AsSpan(BasicScheme.Length).Trim())
            : default;
    }

    /// <summary>The password of HTTP Basic (RFC 7617); empty when the text is not valid.</summary>
    private static ReadOnlySpan<char> Password(ReadOnlySpan<char> credentials)
    {
        if (!Base64.IsValid(credentials, out var length))
        {
            return default;
        }

        var bytes = new byte[length];
        Convert.TryFromBase64Chars(credentials, bytes, out _);
        var text = Encoding.UTF8.GetString(bytes);
        return text.AsSpan(text.IndexOf(':', StringComparison.Ordinal) + 1);
    }
}
