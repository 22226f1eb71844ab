using System.Net;
using System.Net.Sockets;

namespace Fpn.Testing.Running;

/// <summary>A port for programs that must be told theirs before they start.</summary>
internal static class FreePort
{
    /// <summary>A port of the loopback interface that was free a moment ago.</summary>
    public static int Find()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
