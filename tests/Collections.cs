using Fpn.Testing.Running;

// Compiled into every test project: xunit looks for collections in the assembly of the tests alone.
#pragma warning disable CA1050 // Without a namespace, since it would be another one in each project.

/// <summary>Tests of one collection run one after the other, and share its service.</summary>
[CollectionDefinition(ServiceFixture.Collection)]
public sealed class SharedService : ICollectionFixture<ServiceFixture>;

/// <inheritdoc cref="SharedService"/>
[CollectionDefinition(ShippedServiceFixture.Collection)]
public sealed class SharedShippedService : ICollectionFixture<ShippedServiceFixture>;

/// <summary>Tests that count what the whole process holds.</summary>
[CollectionDefinition(Alone.Collection, DisableParallelization = true)]
public sealed class AloneInTheProcess;
