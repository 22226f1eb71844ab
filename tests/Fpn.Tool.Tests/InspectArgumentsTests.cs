using Fpn.Tool.Commands;

namespace Fpn.Tool.Tests;

public sealed class InspectArgumentsTests
{
    [Fact]
    public void Parse_Everything_InAnyOrder()
    {
        var parsed = InspectArguments.Parse(["--json", "--fpn:execution:Threads=2", "models/pets", "--nodes"]);
        Assert.NotNull(parsed);
        Assert.Equal(("models/pets", true, true), (parsed.Package, parsed.IsJson, parsed.WithNodes));
        Assert.Equal(["--fpn:execution:Threads=2"], parsed.Settings);
    }

    [Theory]
    [InlineData]
    [InlineData("--json")]
    [InlineData("models/pets", "models/cats")]
    [InlineData("models/pets", "--jsn")]
    [InlineData("models/pets", "--Fpn:Execution:Provider")]
    [InlineData("models/pets", "--Fpn:Batching:MaxBatchSize=1")]
    [InlineData("")]
    public void Parse_WrongUsage_IsNull(params string[] arguments) => Assert.Null(InspectArguments.Parse(arguments));
}
