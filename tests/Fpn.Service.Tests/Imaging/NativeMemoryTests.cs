namespace Fpn.Service.Tests.Imaging;

/// <summary>Tests that count the native memory of the process: nothing else may decode meanwhile.</summary>
[CollectionDefinition(nameof(NativeMemoryTests), DisableParallelization = true)]
public sealed class NativeMemoryTests;
