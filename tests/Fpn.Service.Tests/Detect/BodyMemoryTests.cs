using System.Net;
using Fpn.Service.Bodies;
using Fpn.Service.Engine;
using Fpn.Testing.Images;
using Fpn.Testing.Running;
using Microsoft.Extensions.DependencyInjection;

namespace Fpn.Service.Tests.Detect;

/// <summary>
/// The bodies of all requests together are bounded, and whatever becomes of one, its memory comes back.
/// </summary>
[Trait("Speed", "slow")]
public sealed class BodyMemoryTests : IDisposable
{
    private const int Limit = 1 << 20;

    private readonly RunningService _service = new(("Fpn:Limits:MaxBodyBytes", $"{Limit}"));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static byte[] Sample => MadeImages.Read("smear-480x640.jpg");

    private BodyMemory Memory => _service.Services.GetRequiredService<BodyMemory>();

    public void Dispose() => _service.Dispose();

    [Fact]
    public void TryTake_MoreThanIsLeft_TakesNothing()
    {
        var memory = new BodyMemory(new LimitsOptions { MaxBodyBytes = Limit });
        Assert.True(memory.TryTake(Limit - 1));
        Assert.False(memory.TryTake(2));
        Assert.True(memory.TryTake(1));
        Assert.False(memory.TryTake(1));
        memory.Return(Limit);
        Assert.Equal(0, memory.Taken);
    }

    [Fact]
    public async Task Detect_BodyThatFindsNoMemory_Is503AndOthersAreAnswered()
    {
        using var refused = await _service.Client.PostDetectAsync(new byte[Limit + 1]);
        var problem = await ProblemBody.AssertAsync(refused, HttpStatusCode.ServiceUnavailable, "queue-full");
        Assert.Contains("Fpn:Limits:MaxBodyBytes", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.NotNull(refused.Headers.RetryAfter);

        Assert.NotEmpty((await _service.Client.DetectAsync(Sample)).Detections());
        await Eventually.TrueAsync(() => Memory.Taken == 0);
    }

    [Fact]
    public async Task Detect_MemoryTakenByOthers_Is503UntilTheyGiveItBack()
    {
        Assert.True(Memory.TryTake(Limit - 1));
        using var refused = await _service.Client.PostDetectAsync(Sample);
        await ProblemBody.AssertAsync(refused, HttpStatusCode.ServiceUnavailable, "queue-full");
        Memory.Return(Limit - 1);
        Assert.NotEmpty((await _service.Client.DetectAsync(Sample)).Detections());
        await Eventually.TrueAsync(() => Memory.Taken == 0);
    }

    [Fact]
    public async Task Batch_OneImageThatFindsNoMemory_CostsOnlyItself()
    {
        var results = await _service.Client.BatchAsync([Sample, new byte[Limit + 1], Sample]);
        Assert.Equal(3, results.Length);
        Assert.NotEmpty(results[0].Detections());
        BatchRequests.AssertProblem(results[1], 503, "queue-full");
        Assert.NotEmpty(results[2].Detections());
        await Eventually.TrueAsync(() => Memory.Taken == 0);
    }

    [Fact]
    public async Task Infer_BodyThatFindsNoMemory_Is503InTheProtocolsForm()
    {
        using var content = new ByteArrayContent(new byte[Limit + 1]);
        using var response = await _service.Client.PostAsync("v2/models/blood-cells/infer", content, Cancel);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Contains("MaxBodyBytes", await response.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        await Eventually.TrueAsync(() => Memory.Taken == 0);
    }
}
