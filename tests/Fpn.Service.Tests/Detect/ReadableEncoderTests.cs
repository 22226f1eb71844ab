using System.Text;
using System.Text.Json;
using Fpn.Service.Problems;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Detect;

/// <summary>JSON that a person reads in a terminal, and that a page or a terminal cannot be tricked with.</summary>
public sealed class ReadableEncoderTests
{
    private static readonly JsonSerializerOptions Options = new() { Encoder = ReadableEncoder.Instance };

    [Theory]
    [InlineData("it's", "it's")]
    [InlineData("groß, 赤血球, эритроцит, \U0001F9EB", "groß, 赤血球, эритроцит, \U0001F9EB")]
    [InlineData("`a` + b / c", "`a` + b / c")]
    [InlineData("\"a\\b\"", "\\\"a\\\\b\\\"")]
    [InlineData("a\nb\tc\r", "a\\nb\\tc\\r")]
    [InlineData("</script>&amp;", "\\u003C/script\\u003E\\u0026amp;")]
    [InlineData("\u001b[31m\u0007\u0085\u007f", "\\u001B[31m\\u0007\\u0085\\u007F")]
    [InlineData("\u202etxt\u2066\u200f", "\\u202Etxt\\u2066\\u200F")]
    [InlineData("\u2028\u2029\ufeff", "\\u2028\\u2029\\uFEFF")]
    public void Serialize_Text_IsEscapedWhereItMustBe(string text, string expected)
    {
        Assert.Equal($"\"{expected}\"", JsonSerializer.Serialize(text, Options));
        Assert.Equal($"\"{expected}\"", Encoding.UTF8.GetString(JsonSerializer.SerializeToUtf8Bytes(text, Options)));
        Assert.Equal(text, JsonSerializer.Deserialize<string>(JsonSerializer.Serialize(text, Options)));
    }

    /// <summary>Every kind of answer: problems, those below /v2, models, detections, batches.</summary>
    [Fact]
    public async Task Answer_OfTheService_IsReadable()
    {
        using var models = new ModelFolder();
        models.Add(manifest: text => ModelFolder.Edit(text, "\"RBC\"", "\"赤血球's\""));
        using var service = new RunningService(("Fpn:Models:Path", models.Path), ("Fpn:Batching:MaxBatchSize", "1"));
        (string Method, string Path, string Words)[] answers =
        [
            ("GET", "models/it's", "There is no model 'it's'."),
            ("GET", "nothing/größe", "There is nothing at '/nothing/größe'."),
            ("GET", "v2/models/größe", "'größe'"),
            ("GET", "models", "\"label\":\"赤血球's\""),
            ("POST", "detect", "\"label\":\"赤血球's\""),
            ("POST", "detect?labels=none", "'none' is not a label of the model 'blood-cells'. Known: 赤血球's, "),
            ("POST", "detect/batch", "\"label\":\"赤血球's\""),
        ];
        foreach (var (method, path, words) in answers)
        {
            Assert.Contains(words, await AskAsync(service, method, path), StringComparison.Ordinal);
        }
    }

    private static async Task<string> AskAsync(RunningService service, string method, string path)
    {
        var cancel = TestContext.Current.CancellationToken;
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        var image = new ByteArrayContent(await File.ReadAllBytesAsync(Checkout.SampleImage, cancel));
        request.Content = method == "GET" ? null
            : path == "detect/batch" ? new MultipartFormDataContent { { image, "images", "smear.jpg" } }
            : image;
        using var response = await service.Client.SendAsync(request, cancel);
        return await response.Content.ReadAsStringAsync(cancel);
    }
}
