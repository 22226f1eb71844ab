using System.Text.Json;
using System.Text.Json.Nodes;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.OpenApi;

/// <summary>docs/openapi.json: what the service serves, clean by a linter, and good for a generated client.</summary>
[Collection(ShippedServiceFixture.Collection)]
[Trait("Speed", "slow")]
public sealed class PublishedDocumentTests(ShippedServiceFixture fixture)
{
    private static readonly string Published = Path.Combine(Checkout.Root, "docs", "openapi.json");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Document_OfTheRunningService_IsThePublishedOne()
    {
        var served = JsonNode.Parse(await fixture.Service.Client.GetStringAsync("swagger/v1/swagger.json", Cancel))!;
        var published = JsonNode.Parse(await File.ReadAllTextAsync(Published, Cancel))!;
        if (!JsonNode.DeepEquals(served, published))
        {
            var actual = Path.Combine(Path.GetTempPath(), "fpn-openapi.json");
            await File.WriteAllTextAsync(
                actual, served.ToJsonString(new JsonSerializerOptions { WriteIndented = true }), Cancel);
            Assert.Fail(
                $"docs/openapi.json is not what the service serves: {Difference(published, served, "#")}. The served "
                + $"document is in {actual}.");
        }
    }

    [Fact]
    public async Task Document_Published_LintsClean()
    {
        DocumentLint.SkipWithoutPrograms();
        var (exitCode, output) = await DocumentLint.RunAsync(Published);
        Assert.True(exitCode == 0, output);
    }

    /// <summary>A linter that finds nothing whatever it is given would prove nothing.</summary>
    [Theory]
    [InlineData("summary", "operation-summary")]
    [InlineData("examples", "response-example")]
    [InlineData("operationId", "operation-operationId")]
    public async Task Document_WithoutSomething_IsNotClean(string removed, string rule)
    {
        DocumentLint.SkipWithoutPrograms();
        var document = JsonNode.Parse(await File.ReadAllTextAsync(Published, Cancel))!;
        var detect = document["paths"]!["/detect"]!["post"]!.AsObject();
        var owner = removed == "examples" ? detect["responses"]!["400"]!["content"]!["application/problem+json"]!
            .AsObject() : detect;
        Assert.True(owner.Remove(removed));
        var folder = Directory.CreateTempSubdirectory("fpn-openapi-");
        try
        {
            var file = Path.Combine(folder.FullName, "openapi.json");
            await File.WriteAllTextAsync(file, document.ToJsonString(), Cancel);
            var (exitCode, output) = await DocumentLint.RunAsync(file);
            Assert.NotEqual(0, exitCode);
            Assert.Contains(rule, output, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Client_GeneratedFromTheDocument_CompilesAndGetsADetection()
    {
        DocumentLint.SkipWithoutPrograms();

        // Below the folder of the packages, where the compiler and Node.js look for them.
        var checks = DocumentLint.Checks;
        var folder = Directory.CreateDirectory(Path.Combine(checks, "generated", Guid.NewGuid().ToString("N")));
        try
        {
            await RunAsync(
                "openapi-ts",
                "--input",
                Published,
                "--output",
                Path.Combine(folder.FullName, "client"),
                "--no-log-file");
            File.Copy(Path.Combine(checks, "client.ts"), Path.Combine(folder.FullName, "client.ts"));
            File.Copy(Path.Combine(checks, "tsconfig.json"), Path.Combine(folder.FullName, "tsconfig.json"));
            await RunAsync("tsc", "--project", folder.FullName);
            var sample = Checkout.Astronaut;
            var (exitCode, output, errors) = await ProgramRun.RunAsync(
                folder.FullName, "node", "client.js", fixture.Service.Address.ToString(), sample);
            Assert.True(exitCode == 0, output + errors);

            using var answer = JsonDocument.Parse(output);
            var found = answer.RootElement.GetProperty("found");
            var direct = await fixture.Service.Client.DetectAsync(
                await File.ReadAllBytesAsync(sample, Cancel), "maxDetections=5");
            Assert.Equal(5, found.GetProperty("detections").GetArrayLength());
            Assert.Equal(direct.Detections(), found.Detections());
            Assert.Equal(
                "everyday",
                answer.RootElement.GetProperty("models").GetProperty("models")[0].GetProperty("name").GetString());
            Assert.Equal(
                "unsupported-image-format", answer.RootElement.GetProperty("problem").GetProperty("type").GetString());
            Assert.Equal(415, answer.RootElement.GetProperty("status").GetInt32());
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        static async Task RunAsync(string program, params string[] arguments)
        {
            var (exitCode, output, errors) = await ProgramRun.RunAsync(
                DocumentLint.Checks, Path.Combine(DocumentLint.Programs, program), arguments);
            Assert.True(exitCode == 0, $"{program}: {output}{errors}");
        }
    }

    /// <summary>The first place where two documents differ.</summary>
    private static string Difference(JsonNode? published, JsonNode? served, string at)
    {
        if (published is JsonObject left && served is JsonObject right)
        {
            foreach (var name in left.Select(member => member.Key).Union(right.Select(member => member.Key)))
            {
                if (!left.ContainsKey(name) || !right.ContainsKey(name))
                {
                    return $"{at}/{name} is only {(left.ContainsKey(name) ? "published" : "served")}";
                }

                if (!JsonNode.DeepEquals(left[name], right[name]))
                {
                    return Difference(left[name], right[name], $"{at}/{name}");
                }
            }
        }

        return $"{at}: {published?.ToJsonString()} is published, {served?.ToJsonString()} is served";
    }
}
