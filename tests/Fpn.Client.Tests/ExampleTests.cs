using System.Text.RegularExpressions;
using Fpn.Client.Tests.Running;
using Fpn.Testing.Running;
using Microsoft.Extensions.DependencyInjection;

namespace Fpn.Client.Tests;

/// <summary>The examples of the documents: their code is the code that runs here.</summary>
public sealed partial class ExampleTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("docs/client.md", 4)]
    [InlineData("src/Fpn.Client/README.md", 2)]
    public void Examples_OfADocument_AreTheCodeOfThisFile(string document, int count)
    {
        var code = Squeeze(File.ReadAllText(
            Path.Combine(Checkout.Root, "tests", "Fpn.Client.Tests", $"{nameof(ExampleTests)}.cs")));
        var examples = CodeBlock().Matches(File.ReadAllText(Path.Combine(Checkout.Root, document)));
        Assert.Equal(count, examples.Count);
        Assert.All(examples, example => Assert
            .Contains(Squeeze(example.Groups[1].Value), code, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Examples_AgainstTheService_Work()
    {
        using var process = new ServiceProcess(GuardedProcess.Arguments());
        var address = (await process.WaitForAddressAsync()).ToString();
        var services = new ServiceCollection();
        Register(services, address);
        await using var provider = services.BuildServiceProvider();
        await DetectAsync(provider.GetRequiredService<FpnClient>(), Checkout.SampleImage);
        var client = Create(address);
        await FailAsync(client, "no picture"u8.ToArray());
        Assert.True(await client.IsReadyAsync(Cancel));
    }

    private static void Register(ServiceCollection services, string address)
    {
        services.AddFpnClient(options => options.BaseAddress = new Uri(address));
    }

    private static FpnClient Create(string address)
    {
        var retries = new FpnRetryHandler(new FpnClientOptions()) { InnerHandler = new SocketsHttpHandler() };
        var client = new FpnClient(new HttpClient(retries) { BaseAddress = new Uri(address) });
        return client;
    }

#pragma warning disable xUnit1051 // Documents call these without a token.
    private static async Task DetectAsync(FpnClient client, string path)
    {
        var result = await client.DetectAsync(ImageSource.FromFile(path), new DetectOptions { ScoreThreshold = 0.5 });
        foreach (var found in result.Detections)
        {
            Console.WriteLine($"{found.Label} {found.Score:P0} at {found.Box.X1}, {found.Box.Y1}");
        }

        Assert.NotEmpty(result.Detections);
    }

    private static async Task FailAsync(FpnClient client, byte[] image)
    {
        try
        {
            await client.DetectAsync(image);
        }
        catch (FpnProblemException problem) when (problem.Type == "unsupported-image-format")
        {
            Console.WriteLine($"{problem.Detail} (request {problem.RequestId})");
        }
    }
#pragma warning restore xUnit1051

    /// <summary>Documents indent less.</summary>
    private static string Squeeze(string code) => Space().Replace(code, " ").Trim();

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Space();
}
