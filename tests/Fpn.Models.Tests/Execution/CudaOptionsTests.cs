using Fpn.Models.Options;
using Fpn.Settings;
using Microsoft.Extensions.Configuration;

namespace Fpn.Models.Tests.Execution;

public sealed class CudaOptionsTests
{
    [Fact]
    public void ToProviderOptions_Defaults_AreOnnxRuntimesWords()
    {
        var expected = new Dictionary<string, string>
        {
            ["device_id"] = "0",
            ["cudnn_conv_algo_search"] = "HEURISTIC",
            ["use_tf32"] = "1",
            ["prefer_nhwc"] = "1",
            ["fuse_conv_bias"] = "0",
        };

        Assert.Equal(expected, new CudaOptions().ToProviderOptions(inHalf: false));
    }

    [Fact]
    public void ToProviderOptions_EverythingSetByConfiguration_IsPassedOn()
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Fpn:Cuda:DeviceId"] = "3",
            ["Fpn:Cuda:MemoryLimit"] = "8589934592",
            ["Fpn:Cuda:ArenaStrategy"] = "nextpoweroftwo",
            ["Fpn:Cuda:ConvAlgorithmSearch"] = "exhaustive",
            ["Fpn:Cuda:Tf32"] = "false",
            ["Fpn:Cuda:PreferNhwc"] = "false",
            ["Fpn:Cuda:FuseConvBias"] = "true",
            ["Fpn:Cuda:SessionPerShape"] = "false",
        }).Build();
        var options = new CudaOptions();

        SettingsReader.Read(configuration.GetSection("Fpn:Cuda"), options);

        var expected = new Dictionary<string, string>
        {
            ["device_id"] = "3",
            ["cudnn_conv_algo_search"] = "EXHAUSTIVE",
            ["use_tf32"] = "0",
            ["prefer_nhwc"] = "0",
            ["fuse_conv_bias"] = "1",
        };
        Assert.Equal(expected, options.ToProviderOptions(inHalf: false));
        Assert.Equal((8589934592, ArenaStrategy.NextPowerOfTwo), (options.MemoryLimit, options.ArenaStrategy));
        Assert.False(options.SessionPerShape);
    }

    /// <summary>ONNX Runtime would take that for "no tensor cores at all".</summary>
    [Fact]
    public void ToProviderOptions_HalfWithoutTf32_LeavesTensorCoresOn() =>
        Assert.Equal("1", new CudaOptions { Tf32 = false }.ToProviderOptions(inHalf: true)["use_tf32"]);

    [Theory]
    [InlineData(false, false, true)]
    [InlineData(true, false, true)]
    [InlineData(true, true, true)]
    [InlineData(false, true, false)]
    public void Check_FusingNeedsChannelsLast(bool preferNhwc, bool fuseConvBias, bool isRight)
    {
        var options = new CudaOptions { PreferNhwc = preferNhwc, FuseConvBias = fuseConvBias };

        var refusal = Record.Exception(options.Check);

        Assert.Equal(isRight, refusal is null);
        Assert.True(isRight || refusal is InvalidOptionException, $"{refusal}");
        Assert.True(isRight || refusal!.Message.StartsWith(
            "Setting 'Fpn:Cuda:FuseConvBias' is 'true', which needs 'Fpn:Cuda:PreferNhwc'", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("DeviceId", "-1")]
    [InlineData("DeviceId", "64")]
    [InlineData("MemoryLimit", "-1")]
    [InlineData("Streams", "0")]
    [InlineData("Streams", "5")]
    [InlineData("ArenaStrategy", "1")]
    [InlineData("ConvAlgorithmSearch", "fast")]
    [InlineData("Tf32", "1")]
    public void Read_WrongValue_IsRefusedByName(string setting, string value)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { [$"Fpn:Cuda:{setting}"] = value })
            .Build();

        var refusal = Assert.Throws<SettingsException>(
            () => SettingsReader.Read(configuration.GetSection("Fpn:Cuda"), new CudaOptions()));

        Assert.Contains($"Fpn:Cuda:{setting}", refusal.Message, StringComparison.Ordinal);
        Assert.Contains($"'{value}'", refusal.Message, StringComparison.Ordinal);
    }
}
