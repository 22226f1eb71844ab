using System.Net;

namespace Fpn.Service.Fetching;

/// <summary>Looks up host names; tests answer in its place.</summary>
internal interface IHostResolver
{
    /// <summary>Looks a name up.</summary>
    /// <returns>Its addresses, in the order in which to try them.</returns>
    /// <exception cref="System.Net.Sockets.SocketException">The name is not known, or cannot be looked up.</exception>
    Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken);
}
