using Fpn.Service.Configuration;
using Fpn.Service.Model.Execution;
using Microsoft.Extensions.Configuration;

namespace Fpn.Service.Tests.Model.Execution;

public sealed class CudaOptionsTests
{
    [Fact]
    public void ToProviderOptions_Defaults_AreOnnxRuntimesWords()
    {
        var expected = new Dictionary<string, string>
        {
            ["device_id"] = "0",
            ["arena_extend_strategy"] = "kSameAsRequested",
            ["cudnn_conv_algo_search"] = "HEURISTIC",
            ["use_tf32"] = "1",
        };

        Assert.Equal(expected, new CudaOptions().ToProviderOptions());
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
        }).Build();
        var options = new CudaOptions();

        SettingsReader.Read(configuration.GetSection("Fpn:Cuda"), options);

        var expected = new Dictionary<string, string>
        {
            ["device_id"] = "3",
            ["gpu_mem_limit"] = "8589934592",
            ["arena_extend_strategy"] = "kNextPowerOfTwo",
            ["cudnn_conv_algo_search"] = "EXHAUSTIVE",
            ["use_tf32"] = "0",
        };
        Assert.Equal(expected, options.ToProviderOptions());
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
