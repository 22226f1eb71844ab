using System.Globalization;
using System.Text.RegularExpressions;
using Fpn.Detection.Tensors;
using Fpn.Models.Execution.Devices;
using Fpn.Serving.Requests;
using Fpn.Testing.Running;

namespace Fpn.Serving.Tests;

/// <summary>The one table of failures is complete, and the page for clients says the same.</summary>
public sealed partial class FailureTableTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Rows_EveryKind_HasOneInOrder()
    {
        Assert.Equal(Enum.GetValues<FailureKind>(), FailureTable.Rows.Select(row => row.Kind));
        Assert.All(Enum.GetValues<FailureKind>(), kind => Assert.Equal(kind, FailureTable.RowFor(kind).Kind));
    }

    [Fact]
    public void Rows_Names_AreUniqueAndSayTheTitle()
    {
        Assert.Equal(FailureTable.Rows.Length, FailureTable.Rows.Select(row => row.Name).Distinct().Count());
        Assert.All(
            FailureTable.Rows,
            row => Assert.Equal(row.Name, row.Title.ToLowerInvariant().Replace(' ', '-')));
    }

    /// <summary>A retry is worth while where the service is at fault for a while, and there alone.</summary>
    [Fact]
    public void Rows_Retry_AgreesWithBothStatuses()
    {
        Assert.All(FailureTable.Rows, row =>
        {
            Assert.Equal(row.HttpStatus == 503, row.RetryAfter is not null);
            Assert.Equal(row.GrpcStatus == GrpcStatus.Unavailable, row.RetryAfter is not null);
            Assert.True(Enum.IsDefined(row.GrpcStatus));
        });
    }

    /// <summary>What is given up is answered to no client, and so the page does not list it.</summary>
    [Fact]
    public async Task Rows_PageForClients_SaysTheSameStatuses()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(Checkout.Root, "docs", "errors.md"), Cancel);
        var documented = PageRow().Matches(page).ToDictionary(
            match => match.Groups["name"].Value,
            match => int.Parse(match.Groups["status"].Value, CultureInfo.InvariantCulture));
        Assert.All(FailureTable.Rows, row =>
        {
            if (row.Kind == FailureKind.GivenUp)
            {
                Assert.DoesNotContain(row.Name, documented.Keys);
            }
            else
            {
                Assert.Equal(row.HttpStatus, documented[row.Name]);
            }
        });
    }

    [Fact]
    public void Failure_WithoutATimeOfItsOwn_HasTheKinds()
    {
        Assert.Equal(TimeSpan.FromSeconds(1), new DetectionFailure(FailureKind.QueueFull, "full").RetryAfter);
        var full = new DetectionFailure(FailureKind.QueueFull, "full", TimeSpan.FromSeconds(7));
        Assert.Equal(TimeSpan.FromSeconds(7), full.RetryAfter);
        Assert.Null(new DetectionFailure(FailureKind.Undecodable, "broken").RetryAfter);
        Assert.Equal("queue-full: full", full.ToString());
    }

    [Fact]
    public void FromException_ExpectedOnes_AreFailuresAndTheRestIsNot()
    {
        Assert.Equal(FailureKind.ShuttingDown, KindOf(new ShuttingDownException()));
        Assert.Equal(FailureKind.DeviceLost, KindOf(new DeviceLostException("gone")));
        Assert.Equal(FailureKind.ModelFailure, KindOf(new ModelFailureException("broken")));
        Assert.Equal(FailureKind.NonFiniteOutput, KindOf(new NonFiniteOutputException("scores", 0, float.NaN)));
        Assert.Equal(
            FailureKind.ModelFailure, KindOf(new AggregateException(new ModelFailureException("broken"))));
        Assert.Null(KindOf(new TaskCanceledException()));
        Assert.Null(KindOf(new InvalidOperationException("a defect")));
    }

    [Fact]
    public void Result_NeverSet_IsADefect()
    {
        Assert.False(default(Result<string>).Succeeded);
        Assert.Throws<InvalidOperationException>(() => default(Result<string>).Failure);
        Assert.Null(new Result<string>("value").Failure);
    }

    private static FailureKind? KindOf(Exception exception) => DetectionFailure.FromException(exception)?.Kind;

    [GeneratedRegex(@"^\| (?<status>\d{3}) \| `(?<name>[a-z-]+)` \|", RegexOptions.Multiline)]
    private static partial Regex PageRow();
}
