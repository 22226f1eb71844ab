using System.Net;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;

namespace Fpn.Models.Tests;

/// <summary>Models that give NaN or infinity: the tensor is named, and other requests are not affected.</summary>
public sealed class NonFiniteTests(NonFiniteTests.BrokenModels models) : IClassFixture<NonFiniteTests.BrokenModels>
{
    private static readonly byte[] Sample = File.ReadAllBytes(Checkout.WideImage);

    /// <summary>Every output that is read, with a value that it must not hold.</summary>
    public static TheoryData<string, float> Outputs => new()
    {
        { "objectness_p2", float.NaN },
        { "objectness_p3", float.PositiveInfinity },
        { "objectness_p4", float.NegativeInfinity },
        { "objectness_p5", float.NaN },
        { "objectness_p6", float.PositiveInfinity },
        { "deltas_p2", float.NegativeInfinity },
        { "deltas_p3", float.NaN },
        { "deltas_p4", float.PositiveInfinity },
        { "deltas_p5", float.NegativeInfinity },
        { "deltas_p6", float.NaN },
        { "class_logits", float.NaN },
        { "box_deltas", float.PositiveInfinity },
    };

    [Theory]
    [MemberData(nameof(Outputs))]
    public async Task Detect_OutputNotFinite_Is500ThatNamesTheTensor(string output, float value)
    {
        var client = models.Service.Client;
        var logged = models.Service.Log.All.Count;

        using var response = await client.PostDetectAsync(Sample, $"model={output}");
        var problem = await ProblemBody.AssertAsync(
            response, HttpStatusCode.InternalServerError, "model-output-not-finite");
        Assert.Contains(
            $"'{output}' holds {value} at position ",
            problem.GetProperty("detail").GetString(),
            StringComparison.Ordinal);
        Assert.NotEmpty((await client.DetectAsync(Sample)).Detections());
        Assert.Contains(
            models.Service.Log.All.Skip(logged),
            line => line.StartsWith("Error", StringComparison.Ordinal)
                && line.Contains(output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Detect_BrokenAndGoodModelsAtOnce_GoodOnesAnswerAsAlone()
    {
        var client = models.Service.Client;
        var alone = (await client.DetectAsync(Sample)).Detections();
        string[] queries =
        [
            "model=class_logits", "model=blood-cells", "model=deltas_p3",
            "model=blood-cells", "model=box_deltas", "model=blood-cells",
        ];

        var responses = await Task.WhenAll(queries.Select(query => client.PostDetectAsync(Sample, query)));

        foreach (var (response, query) in responses.Zip(queries))
        {
            if (query == "model=blood-cells")
            {
                Assert.Equal(alone, (await response.ReadDetectionAsync()).Detections());
            }
            else
            {
                await ProblemBody.AssertAsync(response, HttpStatusCode.InternalServerError, "model-output-not-finite");
            }
        }
    }

    /// <summary>A service with the good model and, for each output, one that spoils it.</summary>
    public sealed class BrokenModels : IDisposable
    {
        private readonly ModelFolder _folder = new();

        public BrokenModels()
        {
            _folder.Add();
            foreach (var (output, value) in Outputs.Select(row => row.Data))
            {
                _folder.AddSpoiled(output, output, value);
            }

            Service = new RunningService(("Fpn:Models:Path", _folder.Path), ("Fpn:Batching:MaxBatchSize", "1"));
        }

        internal RunningService Service { get; }

        public void Dispose()
        {
            Service.Dispose();
            _folder.Dispose();
        }
    }
}
