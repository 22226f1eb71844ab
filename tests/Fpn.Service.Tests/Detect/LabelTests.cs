using System.Net;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Detect;

/// <summary>Labels that hold what separates labels.</summary>
public sealed class LabelTests(LabelTests.Commas commas) : IClassFixture<LabelTests.Commas>
{
    private const string Red = "cell, red";

    private static readonly byte[] Sample = File.ReadAllBytes(Checkout.SampleImage);

    private HttpClient Client => commas.Service.Client;

    [Theory]
    [InlineData("label=cell%2C%20red", Red)]
    [InlineData("label=cell%2C%20red&label=WBC", $"{Red}|WBC")]
    [InlineData("label=WBC&labels=Platelets", "Platelets|WBC")]
    [InlineData("labels=cell%2C%20red", Red)]
    [InlineData("labels=WBC,Platelets", "Platelets|WBC")]
    public async Task Detect_Labels_KeepsThoseNamed(string query, string expected)
    {
        var wanted = expected.Split('|');
        var all = LabelsOf(await Client.DetectAsync(Sample));
        var kept = LabelsOf(await Client.DetectAsync(Sample, query));
        Assert.Equal(all.Where(wanted.Contains), kept);
        Assert.NotEmpty(kept);
        Assert.NotEqual(all.Length, kept.Length);
    }

    [Theory]
    [InlineData("label=cell", "label", "'cell'")]
    [InlineData("label=WBC&label=", "label", "''")]
    [InlineData("labels=cell%2C%20red,WBC", "labels", "'cell'")]
    public async Task Detect_UnknownLabel_IsNamed(string query, string parameter, string words)
    {
        using var response = await Client.PostDetectAsync(Sample, query);
        var problem = await ProblemBody.AssertBadParameterAsync(response, parameter);
        Assert.Contains(words, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("True")]
    [InlineData("true")]
    public async Task Detect_ExplainAsPythonWritesIt_Explains(string text) =>
        Assert.True((await Client.DetectAsync(Sample, $"explain={text}")).TryGetProperty("explain", out _));

    [Theory]
    [InlineData("1")]
    [InlineData("TRUE")]
    [InlineData("yes")]
    [InlineData("")]
    public async Task Detect_ExplainThatIsNoBoolean_IsRefused(string text)
    {
        using var response = await Client.PostDetectAsync(Sample, $"explain={text}");
        await ProblemBody.AssertAsync(response, HttpStatusCode.BadRequest, "bad-parameter");
    }

    private static string[] LabelsOf(System.Text.Json.JsonElement body) =>
        [.. body.GetProperty("detections").EnumerateArray().Select(found => found.GetProperty("label").GetString()!)];

    /// <summary>A model with such a label.</summary>
    public sealed class Commas : IDisposable
    {
        private readonly ModelFolder _models = new();

        public Commas()
        {
            _models.Add(manifest: text => ModelFolder.Edit(text, "\"RBC\"", $"\"{Red}\""));
            Service = new RunningService(("Fpn:Models:Path", _models.Path), ("Fpn:Batching:MaxBatchSize", "1"));
        }

        internal RunningService Service { get; }

        public void Dispose()
        {
            Service.Dispose();
            _models.Dispose();
        }
    }
}
