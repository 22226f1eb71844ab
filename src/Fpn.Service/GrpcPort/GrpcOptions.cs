using System.ComponentModel.DataAnnotations;

namespace Fpn.Service.GrpcPort;

/// <summary>The port of gRPC (<c>Fpn:Grpc</c>).</summary>
internal sealed class GrpcOptions
{
    /// <summary>
    /// The port, HTTP/2 only, on the hosts that HTTP listens on. Default 0: no gRPC; up to 65535. The containers set
    /// 8001.
    /// </summary>
    [Range(0, 65535, ErrorMessage = "{0} must be from {1} to {2}")]
    public int Port { get; set; }
}
