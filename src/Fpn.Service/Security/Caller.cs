using Fpn.Service.Problems;
using Fpn.Serving.Requests;

namespace Fpn.Service.Security;

/// <summary>The caller of a request: the holder of a key, or anyone while no keys are configured.</summary>
/// <param name="name">Name of the key, which is not secret; null for anyone.</param>
/// <param name="scopes">The scopes that the caller has.</param>
/// <param name="highestPriority">The most urgent priority of the caller's requests.</param>
/// <param name="bucket">Limits the caller's rate; null for no limit.</param>
internal sealed class Caller(string? name, KeyScope scopes, RequestPriority highestPriority, TokenBucket? bucket)
{
    /// <summary>The caller of a service without keys: may do everything, as often as the queue allows.</summary>
    public static Caller Anyone { get; } =
        new(null, KeyScope.Detect | KeyScope.Metrics | KeyScope.Admin, RequestPriority.High, null);

    /// <summary>The caller of a request whose key, if there is one, is in its body: may do nothing yet.</summary>
    public static Caller WithoutKey { get; } = new(null, KeyScope.None, RequestPriority.Low, null);

    /// <summary>The caller from a trusted network, where an endpoint's clients cannot send a key.</summary>
    public static Caller Trusted { get; } = new(null, KeyScope.Detect, RequestPriority.Normal, null);

    /// <summary>The key's name; null for anyone.</summary>
    public string? Name { get; } = name;

    /// <summary>The scopes that the caller has.</summary>
    public KeyScope Scopes { get; } = scopes;

    /// <summary>The most urgent priority of the caller's requests.</summary>
    public RequestPriority HighestPriority { get; } = highestPriority;

    /// <summary>Counts the views of an image, given their number: each costs as much as an image, and the first is the
    /// image itself. Null where nothing is counted.</summary>
    public Action<int>? ChargeViews { get; } = bucket is { } limit ? views => limit.Owe(views - 1) : null;

    /// <summary>Counts a request against the caller's rate.</summary>
    /// <param name="retryAfter">
    /// When refused: the time until the next request is admitted, if no other comes first.
    /// </param>
    /// <returns>Whether the request is admitted.</returns>
    public bool TryEnter(out TimeSpan retryAfter)
    {
        retryAfter = TimeSpan.Zero;
        return bucket is null || bucket.TryTake(out retryAfter);
    }

    /// <summary>Whether a request may be this urgent.</summary>
    /// <returns>Null, or the problem that says how urgent it may be at most.</returns>
    public Problem? Check(RequestPriority priority)
    {
        // More urgent priorities are smaller numbers.
        return priority < HighestPriority
            ? Problem.PriorityNotAllowed(Name ?? "-", Written(priority), Written(HighestPriority))
            : null;

        static string Written(RequestPriority priority) => priority.ToString().ToLowerInvariant();
    }

    /// <summary>Counts further images of the same request: each costs as much as a request with one.</summary>
    /// <param name="images">Images beyond the first, 0 or more.</param>
    /// <remarks>
    /// Never refused: how many images a form holds is known only once it has been read, and refusing it then would have
    /// it sent again. The caller goes into debt instead, and waits longer before the next request.
    /// </remarks>
    public void ChargeMore(int images) => bucket?.Owe(images);
}

/// <summary>Finds the caller of a request.</summary>
internal static class CallerOfContext
{
    /// <summary>The caller, once the key was checked; <see cref="Caller.Anyone"/> where none was asked for.</summary>
    public static Caller Caller(this HttpContext context) => context.Features.Get<Caller>() ?? Security.Caller.Anyone;
}
