namespace Fpn.Service.Tests.Running;

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

/// <summary>Tests of one collection run one after the other, and share its service.</summary>
[CollectionDefinition(ServiceFixture.Collection)]
public sealed class SharedService : ICollectionFixture<ServiceFixture>;
