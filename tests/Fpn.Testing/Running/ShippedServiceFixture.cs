namespace Fpn.Testing.Running;

/// <summary>One service as <c>run.sh</c> starts it, shared by the tests of the collection <see
/// cref="Collection"/>.</summary>
public sealed class ShippedServiceFixture : IDisposable
{
    /// <summary>Name of the collection.</summary>
    public const string Collection = "shipped service";

    /// <summary>The service.</summary>
    internal RunningService Service { get; } = RunningService.AsShipped();

    public void Dispose() => Service.Dispose();
}
