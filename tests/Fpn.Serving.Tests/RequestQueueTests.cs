using System.Text;
using Fpn.Detection.Geometry;
using Fpn.Models.Detectors;
using Fpn.Serving.Queue;
using Fpn.Serving.Requests;
using Fpn.Testing.Images;

namespace Fpn.Serving.Tests;

/// <summary>Which request leaves the queue first. Requests are identified by the time stamps of their
/// arrival.</summary>
public sealed class RequestQueueTests : IDisposable
{
    private static readonly ImageSize Small = new(32, 32);
    private static readonly ImageSize Large = new(64, 64);

    private readonly RequestQueue _queue = new();
    private readonly List<PendingRequest> _requests = [];

    public void Dispose() => _requests.ForEach(request => request.Release());

    [Fact]
    public void TakeBatch_Empty_Throws() =>
        Assert.Throws<InvalidOperationException>(() => _queue.TakeBatch(1, long.MaxValue));

    [Fact]
    public void TakeBatch_OnePriority_IsFirstInFirstOut()
    {
        AddAll(RequestPriority.Normal, 1, 2, 3, 4, 5);
        Assert.Equal([1, 2], Take(2));
        Assert.Equal([3, 4], Take(2));
        Assert.Equal([5], Take(2));
        Assert.Equal(0, _queue.Count);
    }

    [Fact]
    public void TakeBatch_MixedBuckets_StartsWithTheOldestAndFillsWithItsBucketOnly()
    {
        Add(1, bucket: Large);
        Add(2);
        Add(3);
        Add(4, bucket: Large);
        Assert.Equal([1, 4], Take(4));
        Assert.Equal([2, 3], Take(4));
    }

    /// <summary>Smooth weighted round-robin by hand: the richest goes and pays 21.</summary>
    [Fact]
    public void TakeBatch_AllPrioritiesWait_SharesAre16To4To1()
    {
        Fill(21);
        var order = string.Concat(Enumerable.Range(0, 21).Select(_ => TakePriority().ToString()[0]));

        // (16,4,1) H→(-5,4,1); (11,8,2) H→(-10,8,2); (6,12,3) N→(6,-9,3); (22,-5,4) H→(1,-5,4) … and all zero after 21.
        Assert.StartsWith("HHNH", order, StringComparison.Ordinal);
        Assert.Equal((16, 4, 1), (order.Count(c => c == 'H'), order.Count(c => c == 'N'), order.Count(c => c == 'L')));
        Assert.Equal(order, string.Concat(Enumerable.Range(0, 21).Select(_ => TakePriority().ToString()[0])));
    }

    [Fact]
    public void TakeBatch_HighNeverEnds_LowGoesOnceInSeventeen()
    {
        Fill(100, RequestPriority.High, RequestPriority.Low);

        // Before the k-th choice low has earned k and high is left with 17 - k: low goes when k is 9, and every 17
        // choices after that.
        Assert.Equal(
            [8, 25, 42, 59, 76, 93], Enumerable.Range(0, 100).Where(_ => TakePriority() == RequestPriority.Low));
    }

    [Fact]
    public void TakeBatch_PriorityThatWasAbsent_HasSavedNothingUp()
    {
        AddAll(RequestPriority.High, [.. Enumerable.Range(0, 50)]);
        for (var i = 0; i < 40; i++)
        {
            Assert.Equal([i], Take(1));
        }

        AddAll(RequestPriority.Low, 100, 101);
        Assert.Equal([40], Take(1));
        Assert.Equal([41], Take(1));
    }

    [Fact]
    public void TakeBatch_RoomBesideTheHead_IsFilledByPriorityThenAge()
    {
        AddAll(RequestPriority.Low, 1, 2);
        AddAll(RequestPriority.Normal, 3, 4);
        AddAll(RequestPriority.High, 5, 6);
        Assert.Equal([5, 6, 3, 4, 1], Take(5));
        Assert.Equal([2], Take(5));
    }

    [Fact]
    public void TakeBatch_Weights_FillTheBatchAsManyImages()
    {
        Add(1);
        Add(2, weight: 4);
        Add(3, weight: 2);
        Add(4);
        Add(5);

        // 1 + 2 + 1: what is worth four has no room beside the head.
        Assert.Equal([1, 3, 4], Take(4));
        Assert.Equal([2], Take(4));
        Assert.Equal([5], Take(4));
    }

    [Fact]
    public void TakeBatch_HeadWorthMoreThanABatch_GoesAlone()
    {
        Add(1, weight: 10);
        Add(2);
        Assert.Equal([1], Take(4));
        Assert.Equal([2], Take(4));
    }

    [Fact]
    public void HasFullBatch_CountsWeights()
    {
        Add(1);
        var heavy = Add(2, weight: 3);
        Assert.True(_queue.HasFullBatch(Small, 4));
        Assert.False(_queue.HasFullBatch(Small, 5));
        _queue.Remove(heavy);
        Assert.True(_queue.HasFullBatch(Small, 1));
        Assert.False(_queue.HasFullBatch(Small, 2));
    }

    [Fact]
    public void Remove_Waiting_TakesItOutOnce()
    {
        Add(1);
        var gone = Add(2);
        Add(3);
        Assert.True(_queue.Remove(gone));
        Assert.False(_queue.Remove(gone));
        Assert.Equal(2, _queue.Count);
        Assert.Equal([1, 3], Take(4));
    }

    [Fact]
    public void Remove_AlreadyTaken_IsFalse()
    {
        var taken = Add(1);
        Take(1);
        Assert.False(_queue.Remove(taken));
    }

    [Fact]
    public void HasFullBatch_CountsEachBucketByItself()
    {
        Assert.False(_queue.HasFullBatch(Small, 1));
        Add(1);
        Add(2, RequestPriority.Low, Large);
        Assert.True(_queue.HasFullBatch(Small, 1));
        Assert.True(_queue.HasFullBatch(Large, 1));
        Assert.False(_queue.HasFullBatch(Large, 2));
        var third = Add(3, RequestPriority.High, Large);
        Assert.True(_queue.HasFullBatch(Large, 2));
        Assert.False(_queue.HasFullBatch(Small, 2));
        Assert.False(_queue.HasFullBatch(Large, 3));
        _queue.Remove(third);
        Assert.False(_queue.HasFullBatch(Large, 2));
    }

    [Fact]
    public void PeekHead_AnyNumberOfTimes_NamesTheNextHeadAndChangesNothing()
    {
        Fill(21);
        var order = new StringBuilder();
        for (var i = 0; i < 21; i++)
        {
            var peeked = Enumerable.Range(0, 3).Select(_ => _queue.PeekHead(1, long.MaxValue)).ToList();
            var batch = _queue.TakeBatch(1, long.MaxValue);
            Assert.All(peeked, head => Assert.Same(batch[0], head));
            order.Append(batch[0].Request.Priority.ToString()[0]);
        }

        Assert.StartsWith("HHNH", order.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void PeekHead_NoneDueAndNoBucketFull_IsNull()
    {
        Add(5);
        Add(6, bucket: Large);
        Assert.Null(_queue.PeekHead(2, dueBy: 4));
        Assert.Throws<InvalidOperationException>(() => _queue.TakeBatch(2, dueBy: 4));
        Assert.Same(_requests[0], _queue.PeekHead(2, dueBy: 5));
    }

    [Fact]
    public void TakeBatch_FullBucketBehindOneThatMayWait_GoesAhead()
    {
        Add(1, bucket: Large);
        AddAll(RequestPriority.Normal, 2, 3, 4);
        Assert.Equal([2, 3], Take(2, dueBy: 0));
        Assert.Null(_queue.PeekHead(2, dueBy: 0));
        Assert.Equal([1], Take(2, dueBy: 1));
        Assert.Equal([4], Take(2, dueBy: 4));
    }

    [Fact]
    public void TakeBatch_FullBucketBehindOneThatIsDue_Waits()
    {
        Add(1, bucket: Large);
        AddAll(RequestPriority.Normal, 2, 3);
        Assert.Equal([1], Take(2, dueBy: 1));
        Assert.Equal([2, 3], Take(2, dueBy: 1));
    }

    /// <summary>Before the k-th choice low has earned k and high is left with 17 - k, once low is due.</summary>
    [Fact]
    public void TakeBatch_HighFillsItsBucketForEver_LowOfAnotherGoesOnceInSeventeenWhenDue()
    {
        AddAll(RequestPriority.High, [.. Enumerable.Range(100, 100)]);
        Add(1, RequestPriority.Low, Large);
        for (var i = 0; i < 20; i++)
        {
            Assert.All(Take(2, dueBy: 0), at => Assert.InRange(at, 100, 199));
        }

        var heads = Enumerable.Range(0, 17).Select(_ => Take(2, dueBy: 1)[0]).ToList();
        Assert.Equal(8, heads.IndexOf(1));
    }

    [Fact]
    public void OldestEnqueuedAt_AnyPriority_IsTheEarliest()
    {
        Assert.Null(_queue.OldestEnqueuedAt);
        Add(7, RequestPriority.High);
        Add(5, RequestPriority.Low);
        Add(6);
        Assert.Equal(5, _queue.OldestEnqueuedAt);
        _queue.Remove(_requests[1]);
        Assert.Equal(6, _queue.OldestEnqueuedAt);
    }

    [Fact]
    public void TakeAll_EveryPriorityAndBucket_LeavesNothing()
    {
        Add(1, RequestPriority.Low, Large);
        Add(2, RequestPriority.High);
        Add(3);
        Assert.Equal([1, 2, 3], _queue.TakeAll().Select(request => request.EnqueuedAt).Order());
        Assert.Equal(0, _queue.Count);
        Assert.Empty(_queue.TakeAll());
        Assert.False(_queue.HasFullBatch(Small, 1));
        Assert.Null(_queue.PeekHead(1, long.MaxValue));
        Assert.Null(_queue.OldestEnqueuedAt);
    }

    /// <summary>Against a slow oracle: lists searched from the front.</summary>
    [Fact]
    public void TakeBatch_RandomTraffic_TakesTheHeadsBucketByPriorityThenAge()
    {
        var random = new Random(5);
        var waiting = new List<PendingRequest>();
        for (var at = 0; at < 2000; at++)
        {
            if (random.Next(3) > 0 || waiting.Count == 0)
            {
                waiting.Add(Add(at, (RequestPriority)random.Next(3), random.Next(2) == 0 ? Small : Large));
                continue;
            }

            var size = random.Next(1, 5);
            var batch = _queue.TakeBatch(size, long.MaxValue);
            Assert.Same(waiting.First(request => request.Request.Priority == batch[0].Request.Priority), batch[0]);
            var rest = waiting
                .Where(request => request != batch[0] && request.Bucket == batch[0].Bucket)
                .OrderBy(request => request.Request.Priority);
            Assert.Equal(rest.Take(size - 1), batch.Skip(1));
            waiting.RemoveAll(batch.Contains);
            Assert.Equal(waiting.Count, _queue.Count);
        }
    }

    private PendingRequest Add(
        long at, RequestPriority priority = RequestPriority.Normal, ImageSize? bucket = null, int weight = 1)
    {
        var image = new MeasuredImage(Pictures.Decoded(1, 1), default, default);
        var request = new PendingRequest(
            new DetectionRequest(default) { Priority = priority },
            image,
            new SharedPicture(image.Decoded, lease: null),
            bucket ?? Small,
            weight,
            at);
        _requests.Add(request);
        _queue.Add(request);
        return request;
    }

    private void AddAll(RequestPriority priority, params int[] arrivals)
    {
        foreach (var at in arrivals)
        {
            Add(at, priority);
        }
    }

    private void Fill(int each, params RequestPriority[] priorities)
    {
        foreach (var priority in priorities.Length == 0 ? Enum.GetValues<RequestPriority>() : priorities)
        {
            AddAll(priority, [.. Enumerable.Range(0, 2 * each)]);
        }
    }

    /// <summary>Takes a batch, by default as if every request had waited long enough.</summary>
    private long[] Take(int size, long dueBy = long.MaxValue) =>
        [.. _queue.TakeBatch(size, dueBy).Select(request => request.EnqueuedAt)];

    private RequestPriority TakePriority() => Assert.Single(_queue.TakeBatch(1, long.MaxValue)).Request.Priority;
}
