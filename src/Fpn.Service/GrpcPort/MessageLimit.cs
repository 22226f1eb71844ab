namespace Fpn.Service.GrpcPort;

/// <summary>The largest message of a method, as metadata of its endpoint.</summary>
/// <param name="MostBytes">Bytes.</param>
internal sealed record MessageLimit(long MostBytes)
{
    /// <summary>For methods whose messages hold names and switches: far more than they need.</summary>
    public const int Small = 64 << 10;
}
