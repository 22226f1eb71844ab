using System.Net;
using Fpn.Client.Tests.Running;
using Fpn.Testing.Running;

namespace Fpn.Client.Tests;

/// <summary>Failures of the real service, as exceptions.</summary>
[Collection(GuardedProcess.Collection)]
public sealed class ProblemTests(GuardedProcess service)
{
    private static readonly byte[] Sample = File.ReadAllBytes(Checkout.SampleImage);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Detect_NotAnImage_IsAnUnsupportedFormat()
    {
        var problem = await AssertProblemAsync(
            service.CreateClient().DetectAsync("no picture"u8.ToArray(), cancellationToken: Cancel));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, problem.Status);
        Assert.Equal("unsupported-image-format", problem.Type);
        Assert.Equal("Unsupported image format", problem.Title);
        Assert.NotNull(problem.Detail);
        Assert.NotNull(problem.RequestId);
        Assert.NotNull(problem.Problem.TraceId);
        Assert.Null(problem.RetryAfter);
        Assert.Contains(problem.Detail, problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Detect_UnknownModel_NamesTheParameterAndTheKnown()
    {
        var problem = await AssertProblemAsync(
            service.CreateClient().DetectAsync(Sample, new DetectOptions { Model = "horses & carts" }, Cancel));
        Assert.Equal((HttpStatusCode.NotFound, "unknown-model"), (problem.Status, problem.Type));
        Assert.Equal("model", problem.Problem.Parameter);
        Assert.Contains("'horses & carts'", problem.Detail, StringComparison.Ordinal);
        Assert.Contains("blood-cells", problem.Detail, StringComparison.Ordinal);
    }

    /// <summary>Failures are problems in every format.</summary>
    [Fact]
    public async Task Render_NotAnImage_IsAProblemToo()
    {
        var problem = await AssertProblemAsync(
            service.CreateClient().RenderAsync("no picture"u8.ToArray(), OutputFormat.Png, cancellationToken: Cancel));
        Assert.Equal("unsupported-image-format", problem.Type);
    }

    [Theory]
    [InlineData(null, "key-missing")]
    [InlineData("mallory-5f2c9e7d41b8a063", "key-wrong")]
    public async Task EveryCall_WithoutAGoodKey_IsRefused(string? key, string type)
    {
        var client = service.CreateClient(key);
        foreach (var call in (Func<Task>[])
            [
                () => client.DetectAsync(Sample, cancellationToken: Cancel),
                () => client.DetectBatchAsync([Sample], cancellationToken: Cancel),
                () => client.RenderAsync(Sample, OutputFormat.Jpeg, cancellationToken: Cancel),
                () => client.ListModelsAsync(Cancel),
                () => client.GetModelAsync("blood-cells", Cancel),
            ])
        {
            var problem = await AssertProblemAsync(call());
            Assert.Equal((HttpStatusCode.Unauthorized, type), (problem.Status, problem.Type));
        }

        // Probes need no key.
        Assert.True(await client.IsReadyAsync(Cancel));
    }

    private static Task<FpnProblemException> AssertProblemAsync(Task call) =>
        Assert.ThrowsAsync<FpnProblemException>(() => call);
}
