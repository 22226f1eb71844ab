using System.Net;
using System.Net.Sockets;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Settings;

/// <summary>The process itself: it starts and ends as promised, or refuses with one line that says why.</summary>
[Trait("Speed", "slow")]
public sealed class StartTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("--Fpn:Limits:MaxImageBytes=many", "'Fpn:Limits:MaxImageBytes'")]
    [InlineData("--Fpn:Limits:MaxImagePixels=0", "'Fpn:Limits:MaxImagePixels'")]
    [InlineData("--Fpn:Limit:MaxImageBytes=1", "'Fpn:Limit'")]
    [InlineData("--Fpn:Execution:Provider=tpu", "'Fpn:Execution:Provider'")]
    [InlineData("--Fpn:Telemetry:OtlpEndpoint=collector:4317", "'Fpn:Telemetry:OtlpEndpoint'")]
    [InlineData("--Fpn:Telemetry:OtlpProtocol=tcp", "'Fpn:Telemetry:OtlpProtocol'")]
    [InlineData("--Fpn:Models:Path=no/such/folder", "'Fpn:Models:Path'")]
    [InlineData("--Fpn:Models:Versions=-1", "'Fpn:Models:Versions' must be from 0 to 1000; it is '-1'.")]
    [InlineData("--Fpn:Models:Poll=10ms", "'Fpn:Models:Poll' must be 0 or from 1s to 24h; it is '10ms'.")]
    public async Task Start_WrongSetting_EndsWithOneLineThatNamesIt(string argument, string setting) =>
        await AssertRefusedAsync([argument], [setting]);

    [Fact]
    public async Task Start_WrongSettingInTheEnvironment_EndsWithOneLineThatNamesIt() =>
        await AssertRefusedAsync([], ["'Fpn:Execution:Threads'", "'0'"], ("Fpn__Execution__Threads", "0"));

    [Theory]
    [InlineData("--Fpn:Keys:File=", "'Fpn:Keys:File' must not be empty")]
    [InlineData("--Fpn:Keys:Json=", "'Fpn:Keys:Json' must not be empty")]
    [InlineData("--Fpn:Keys:File=no/such/keys.json", "no/such/keys.json")]
    [InlineData("--Fpn:Keys:ReloadInterval=1ms", "'Fpn:Keys:ReloadInterval'")]
    [InlineData("--Fpn:Control:Enabled=true", "'Fpn:Control:Enabled' needs an API key of scope admin")]
    [InlineData("--Fpn:Proxies:Trusted=10.0.0.1,proxy.example.com", "'Fpn:Proxies:Trusted'", "'proxy.example.com'")]
    [InlineData("--Fpn:Proxies:Trusted=10.0.0.0/33", "'Fpn:Proxies:Trusted'", "'10.0.0.0/33'")]
    [InlineData("--Fpn:Cors:AllowedOrigins=app.example.com", "'Fpn:Cors:AllowedOrigins'", "'app.example.com'")]
    [InlineData("--Fpn:Cors:AllowedOrigins=https://app.example.com/", "'Fpn:Cors:AllowedOrigins'")]
    [InlineData("--Fpn:Cors:AllowedOrigins=*,https://app.example.com", "'Fpn:Cors:AllowedOrigins'", "'*'")]
    [InlineData("--Fpn:Grpc:Port=70000", "'Fpn:Grpc:Port'", "65535")]
    [InlineData("--Fpn:Connections:Max=0", "'Fpn:Connections:Max'")]
    [InlineData("--Fpn:Compatibility:Served=roboflow,kserve-v3", "'Fpn:Compatibility:Served'", "'kserve-v3'", "cvat")]
    [InlineData("--Fpn:Fetch:Hosts=https://images.example.com", "'Fpn:Fetch:Hosts'", "'https://images.example.com'")]
    [InlineData("--Fpn:Fetch:Networks=inside", "'Fpn:Fetch:Networks'", "'inside'")]
    [InlineData("--Fpn:Fetch:CredentialsFile=no/such.json", "'Fpn:Fetch:CredentialsFile'", "no/such.json")]
    [InlineData("--Fpn:Fetch:Timeout=1h", "'Fpn:Fetch:Timeout'")]
    [InlineData("--Fpn:Compatibility:Cvat:Networks=cvat", "'Fpn:Compatibility:Cvat:Networks'", "'cvat'")]
    [InlineData("--Fpn:Compatibility:DeepStack:MaxDetections=0", "'Fpn:Compatibility:DeepStack:MaxDetections'", "'0'")]
    public async Task Start_WrongSecuritySetting_EndsWithOneLineThatNamesIt(string argument, params string[] words) =>
        await AssertRefusedAsync([$"--Fpn:Models:Path={Checkout.BloodCells}", argument], words);

    /// <summary>A volume that was not mounted: open to everybody, or to nobody, would both be wrong.</summary>
    [Fact]
    public async Task Start_FolderOfKeysIsEmpty_NamesIt()
    {
        var folder = Directory.CreateTempSubdirectory("fpn-keys-").FullName;
        await AssertRefusedAsync(
            [$"--Fpn:Models:Path={Checkout.Models}", $"--Fpn:Keys:File={folder}"],
            ["'Fpn:Keys:File'", folder, "holds no *.json file"]);
        Directory.Delete(folder);
    }

    [Fact]
    public async Task Start_EveryProxyBelieved_IsRefused() => await AssertRefusedAsync(
        [$"--Fpn:Models:Path={Checkout.BloodCells}"],
        ["ForwardedHeaders_Enabled", "'Fpn:Proxies:Trusted'"],
        ("DOTNET_FORWARDEDHEADERS_ENABLED", "true"));

    [Theory]
    [InlineData("Fpn__Keys__Json", "'Fpn:Keys:Json': entry 1 has an unknown member")]
    [InlineData("Fpn__Keys", "'Fpn:Keys' must hold settings")]
    public async Task Start_WrongKeys_NamesTheSettingAndNoKey(string variable, string words)
    {
        using var process = new ServiceProcess(
            [$"--Fpn:Models:Path={Checkout.BloodCells}"],
            (variable, $$"""[{ "name": "alice", "kee": "{{KeyFile.Alice}}", "scopes": ["detect"] }]"""));
        var (code, errors) = await process.WaitForExitAsync();
        Assert.Equal(1, code);
        Assert.Contains(words, Assert.Single(errors), StringComparison.Ordinal);
        Assert.DoesNotContain(
            [.. process.Output, .. errors], line => line.Contains(KeyFile.Alice, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--Fpn:Cuda:Streams=0", "'Fpn:Cuda:Streams'")]
    [InlineData("--Fpn:Cuda:Device=1", "'Fpn:Cuda:Device'", "DeviceId")]
    [InlineData("--Fpn:Batching:FixedShapes=yes", "'Fpn:Batching:FixedShapes'", "auto, on, off")]
    public async Task Start_WrongExecutionSetting_EndsWithOneLineThatNamesIt(string argument, params string[] words) =>
        await AssertRefusedAsync([$"--Fpn:Models:Path={Checkout.BloodCells}", argument], words);

    [Fact]
    public async Task Start_CudaIsDemandedAndThereIsNoGpu_SaysWhatIsMissing() => await AssertRefusedAsync(
        [$"--Fpn:Models:Path={Checkout.BloodCells}", "--Fpn:Execution:Provider=cuda"],
        ["'Fpn:Execution:Provider' is 'cuda'", "there is no NVIDIA driver", "With 'auto'"]);

    [Fact]
    public async Task Start_FusingWithChannelsFirst_NamesBothSettings() => await AssertRefusedAsync(
        [$"--Fpn:Models:Path={Checkout.BloodCells}", "--Fpn:Cuda:PreferNhwc=false", "--Fpn:Cuda:FuseConvBias=true"],
        ["'Fpn:Cuda:FuseConvBias'", "'Fpn:Cuda:PreferNhwc'"]);

    [Fact]
    public async Task Start_UnknownDefaultModel_NamesTheSettingAndTheKnown() =>
        await AssertRefusedAsync(
            [$"--Fpn:Models:Path={Checkout.BloodCells}", "--Fpn:Models:Default=cells"],
            ["'Fpn:Models:Default'", "'cells'", "blood-cells"]);

    [Fact]
    public async Task Start_NoModels_NamesTheSetting()
    {
        using var models = new ModelFolder();
        await AssertRefusedAsync([$"--Fpn:Models:Path={models.Path}"], ["'Fpn:Models:Default'", "no model"]);
    }

    [Fact]
    public async Task Start_UnknownKeyInAPackage_NamesFileAndKey()
    {
        using var models = new ModelFolder();
        models.Add(manifest: text => ModelFolder.Edit(text, "\"sizeDivisor\"", "\"sizeDivider\""));
        await AssertRefusedAsync(models, ["model.json", "'input.sizeDivider'", "unknown"]);
    }

    [Fact]
    public async Task Start_ChecksumOfAnotherFile_NamesFileAndKey()
    {
        using var models = new ModelFolder();
        models.Add(manifest: text => ModelFolder.Edit(text, "\"sha256\": \"cd79", "\"sha256\": \"0000"));
        await AssertRefusedAsync(models, ["head.onnx", "'files.head.sha256'"]);
    }

    [Fact]
    public async Task Start_MissingFile_NamesFileAndKey()
    {
        using var models = new ModelFolder();
        models.Add(manifest: text => ModelFolder.Edit(text, "\"head.onnx\"", "\"tail.onnx\""));
        await AssertRefusedAsync(models, ["model.json", "'files.head.path'", "'tail.onnx'"]);
    }

    [Fact]
    public async Task Start_NotAGraph_NamesTheFile()
    {
        using var models = new ModelFolder();
        models.Add(graphs: ("head", "not a graph"u8.ToArray()));
        await AssertRefusedAsync(models, ["head.onnx"]);
    }

    [Fact]
    public async Task Start_GraphWithoutAnOutput_NamesFileAndOutput()
    {
        using var models = new ModelFolder();
        var backbone = File.ReadAllBytes(ModelFolder.OriginalFile("backbone.onnx"));
        models.Add(graphs: ("backbone", OnnxEdit.Rename(backbone, "objectness_p3", "objectless_p3")));
        await AssertRefusedAsync(models, ["backbone.onnx", "'objectness_p3'", "missing"]);
    }

    /// <summary>Whatever it is given: it would answer nothing but errors.</summary>
    [Theory]
    [InlineData("head", "class_logits", float.NaN)]
    [InlineData("backbone", "deltas_p4", float.PositiveInfinity)]
    public async Task Start_ModelThatGivesNoNumbers_NamesModelAndOutput(string role, string output, float value)
    {
        using var models = new ModelFolder();
        models.Add(graphs: (
            role, OnnxEdit.AddToOutput(File.ReadAllBytes(ModelFolder.OriginalFile($"{role}.onnx")), output, value)));
        await AssertRefusedAsync(models, ["Model 'blood-cells' fails on its first batch", $"'{output}' holds {value}"]);
    }

    [Fact]
    public async Task Start_LabelTooFew_NamesFileAndKey()
    {
        using var models = new ModelFolder();
        models.Add(manifest: text => ModelFolder.Edit(text, "\"labels\": [\"RBC\", ", "\"labels\": ["));
        await AssertRefusedAsync(models, ["head.onnx", "'class_logits'", "'labels'", "[4, 4]", "[4, 3]"]);
    }

    [Fact]
    public async Task Start_Good_ServesLogsALineARequestAndEndsOnSigterm()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "SIGTERM is absent on Windows");
        using var process = new ServiceProcess([$"--Fpn:Models:Path={Checkout.BloodCells}"]);
        using (var client = new HttpClient { BaseAddress = await process.WaitForAddressAsync() })
        {
            using var live = await client.GetAsync("health/live", Cancel);
            Assert.Equal(HttpStatusCode.OK, live.StatusCode);
            Assert.NotEmpty(
                (await client.DetectAsync(await File.ReadAllBytesAsync(Checkout.SampleImage, Cancel))).Detections());
        }

        process.SendTerminate();
        var (code, errors) = await process.WaitForExitAsync();
        Assert.Equal(0, code);
        Assert.Empty(errors);
        var line = Assert.Single(process.Output, line => line.Contains("/detect", StringComparison.Ordinal));
        Assert.Contains("INF POST /detect 200 in ", line, StringComparison.Ordinal);
        Assert.DoesNotContain(process.Output, line => line.Contains("/health", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("https://127.0.0.1:0", "certificate")]
    [InlineData("http://192.0.2.1:8080", "address")]
    [InlineData("http://127.0.0.1:99999", "99999")]
    [InlineData("127.0.0.1:8080", "127.0.0.1:8080")]
    [InlineData("ftp://127.0.0.1:8080", "ftp")]
    public async Task Start_AddressThatCannotBeHad_SaysSoBeforeModelsAreLoaded(string address, string word)
    {
        using var process = new ServiceProcess([$"--Fpn:Models:Path={Checkout.Models}", "--urls", address]);
        await AssertEndedBeforeLoadingAsync(process, "'urls'", address, word);
    }

    [Fact]
    public async Task Start_PortThatIsTaken_SaysSoBeforeModelsAreLoaded()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        using var process = new ServiceProcess(
            [$"--Fpn:Models:Path={Checkout.Models}", "--urls", $"http://127.0.0.1:{port}"]);
        await AssertEndedBeforeLoadingAsync(process, "'urls'", "address already in use");
        using var endpoint = new ServiceProcess(
            [$"--Fpn:Models:Path={Checkout.Models}", $"--Kestrel:Endpoints:Main:Url=http://127.0.0.1:{port}"]);
        await AssertEndedBeforeLoadingAsync(endpoint, "'Kestrel:Endpoints:Main:Url'", "address already in use");
    }

    [Theory]
    [InlineData("--Serilog:MinimumLevel:Default=Chatty", "'Serilog:MinimumLevel:Default'", "'Chatty'", "Information")]
    [InlineData("--Serilog:MinimumLevel:Override:Microsoft=3", "'Serilog:MinimumLevel:Override:Microsoft'", "'3'")]
    [InlineData("--Logging:LogLevel:Default=Chatty", "Chatty")]
    public async Task Start_WrongLogLevel_NamesIt(string argument, params string[] words) =>
        await AssertRefusedAsync([$"--Fpn:Models:Path={Checkout.Models}", argument], words);

    /// <summary>A copy of the service that lacks one file.</summary>
    [Fact]
    public async Task Start_OnnxRuntimeMissing_SaysSo()
    {
        var copy = Directory.CreateTempSubdirectory("fpn-service-").FullName;
        try
        {
            foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory, "*", SearchOption.AllDirectories)
                .Where(file => !Path.GetFileName(file).StartsWith("libonnxruntime.so", StringComparison.Ordinal)))
            {
                var target = Path.Combine(copy, Path.GetRelativePath(AppContext.BaseDirectory, file));
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);

                // Links would lead .NET back to where the library is.
                if (Path.GetFileName(file).StartsWith("Fpn.Service.", StringComparison.Ordinal))
                {
                    File.Copy(file, target);
                }
                else
                {
                    File.CreateSymbolicLink(target, file);
                }
            }

            var (code, _, errors) = await ProgramRun.RunAsync(
                copy,
                "dotnet",
                Path.Combine(copy, "Fpn.Service.dll"),
                "--urls",
                "http://127.0.0.1:0",
                $"--Fpn:Models:Path={Checkout.Models}");
            var line = Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
            Assert.StartsWith(
                "Fpn.Service cannot start: a native library is missing: ", line, StringComparison.Ordinal);
            Assert.Contains("onnxruntime", line, StringComparison.Ordinal);
            Assert.Equal(1, code);
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }

    [Fact]
    public async Task Start_TooFewFileDescriptors_SaysSo()
    {
        var service = Path.Combine(AppContext.BaseDirectory, "Fpn.Service.dll");
        var (code, _, errors) = await ProgramRun.RunAsync(
            Path.GetTempPath(), "bash", "-c", $"ulimit -n 1000 && exec dotnet '{service}' --urls http://127.0.0.1:0 "
                + $"'--Fpn:Models:Path={Checkout.Models}'");
        Assert.Equal(
            "Fpn.Service cannot start: Setting 'Fpn:Connections:Max' is 1024, which takes 1408 file descriptors with "
            + "the service's own, but the process may have 1000: raise the limit (ulimit -n, LimitNOFILE), or lower "
                + "the setting.\n",
            errors);
        Assert.Equal(1, code);
    }

    private static async Task AssertEndedBeforeLoadingAsync(ServiceProcess process, params string[] words)
    {
        var (code, errors) = await process.WaitForExitAsync();
        var line = Assert.Single(errors);
        Assert.StartsWith(
            "Fpn.Service cannot start: cannot listen where the settings say ", line, StringComparison.Ordinal);
        Assert.All(words, word => Assert.Contains(word, line, StringComparison.Ordinal));
        Assert.Equal(1, code);
        Assert.Empty(process.Output);
    }

    private static Task AssertRefusedAsync(ModelFolder models, string[] words) =>
        AssertRefusedAsync([$"--Fpn:Models:Path={models.Path}"], words);

    private static async Task AssertRefusedAsync(
        string[] arguments, string[] words, params (string Name, string? Value)[] environment)
    {
        using var process = new ServiceProcess(arguments, environment);
        var (code, errors) = await process.WaitForExitAsync();
        Assert.Equal(1, code);
        var line = Assert.Single(errors);
        Assert.StartsWith("Fpn.Service cannot start: ", line, StringComparison.Ordinal);
        Assert.All(words, word => Assert.Contains(word, line, StringComparison.Ordinal));
    }
}
