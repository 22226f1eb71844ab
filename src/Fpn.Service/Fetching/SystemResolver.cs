using System.Net;

namespace Fpn.Service.Fetching;

/// <summary>Looks names up as the machine does.</summary>
internal sealed class SystemResolver(FetchOptions options) : IHostResolver, IDisposable
{
    /// <summary>
    /// A lookup holds a thread until the system gives up, even when nothing waits for it any more; so it keeps its slot
    /// for that long, and names that are never answered cannot take all threads.
    /// </summary>
    private readonly SemaphoreSlim _slots = new(options.MaxConcurrent);

    /// <inheritdoc/>
    public async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        await _slots.WaitAsync(cancellationToken);
        return await LookUpAsync(host).WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose() => _slots.Dispose();

    private async Task<IPAddress[]> LookUpAsync(string host)
    {
        try
        {
            return await Dns.GetHostAddressesAsync(host, CancellationToken.None);
        }
        finally
        {
            _slots.Release();
        }
    }
}
