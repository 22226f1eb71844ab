namespace Fpn.Testing.Running;

/// <summary>One service with blood-cells and otherwise default settings, shared by the tests of the collection
/// <see cref="Collection"/>.</summary>
public sealed class ServiceFixture : IDisposable
{
    /// <summary>Name of the collection.</summary>
    public const string Collection = "service";

    /// <summary>The service.</summary>
    internal RunningService Service { get; } = new();

    public void Dispose() => Service.Dispose();
}
