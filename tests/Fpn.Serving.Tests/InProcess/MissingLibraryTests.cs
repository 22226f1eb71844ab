using Fpn.Models.Loading;
using Fpn.Models.Options;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Fpn.Serving.Tests.InProcess;

/// <summary>Who reads what about a missing native library: the programmer of a program, and the owner of the
/// service.</summary>
public sealed class MissingLibraryTests
{
    private static readonly DllNotFoundException Missing = new("Unable to load 'onnxruntime':\n/usr/lib: not there");

    [Fact]
    public void GetService_HostedServices_SaysWhatToReference() =>
        AssertSaysWhatToReference(provider => provider.GetServices<IHostedService>().Count());

    [Fact]
    public void GetService_Queue_SaysWhatToReference() =>
        AssertSaysWhatToReference(provider => provider.GetService<IDetectionQueue>());

    [Fact]
    public void GetService_Startup_IsTheLoadersException()
    {
        using var provider = WithoutLibrary();
        var thrown = Assert.Throws<TypeInitializationException>(provider.GetService<DetectionStartup>);
        Assert.Same(Missing, thrown.InnerException);
    }

    private static void AssertSaysWhatToReference(Func<ServiceProvider, object?> get)
    {
        using var provider = WithoutLibrary();
        var thrown = Assert.Throws<InvalidOptionException>(() => get(provider));
        Assert.StartsWith(
            "A native library cannot be loaded: Unable to load 'onnxruntime': /usr/lib: not there The program must "
            + "reference Microsoft.ML.OnnxRuntime ",
            thrown.Message,
            StringComparison.Ordinal);
        Assert.Same(Missing, thrown.InnerException!.InnerException);
    }

    /// <summary>As ONNX Runtime fails: in a static constructor, when it is first used.</summary>
    private static ServiceProvider WithoutLibrary()
    {
        var services = new ServiceCollection().AddLogging().AddMetrics();
        services.AddSingleton<IModelPackages>(_ => throw new TypeInitializationException("NativeMethods", Missing));
        return services.AddFpnDetection(_ => { }).BuildServiceProvider();
    }
}
