using System.Runtime.InteropServices;
using Fpn.Detection.Geometry;

namespace Fpn.Serving.Queue;

/// <summary>The requests that wait for one model's device, and the rule by which they leave.</summary>
/// <remarks>
/// <para>
/// A batch is built around one request, its head, and filled with others of the same bucket. A request is ready to
/// be a head when it has waited long enough, or when its bucket holds a full batch. The head's priority is chosen
/// by smooth weighted round-robin among those that have a ready request (16 : 4 : 1), and the head is the oldest
/// ready request of its priority. So no bucket can starve another: a full one goes ahead of requests that may still
/// wait for company, but once a request has waited long enough, none that came later with its priority goes ahead
/// of it. And no priority can starve another: of 21 batches under full load, one starts with a request of low
/// priority.
/// </para>
/// <para>
/// The rest of the batch is filled by priority, then age: it costs the head nothing. What a batch holds is counted by
/// weight: a request that is worth several images takes the place of as many, and one that does not fit any more is
/// left to a later batch. Not thread-safe.
/// </para>
/// </remarks>
internal sealed class RequestQueue
{
    private static readonly int[] Weights = [16, 4, 1];

    private readonly LinkedList<PendingRequest>[] _waiting = [new(), new(), new()];
    private readonly Dictionary<PendingRequest, LinkedListNode<PendingRequest>> _nodes = [];

    /// <summary>The weights of each bucket's requests together.</summary>
    private readonly Dictionary<ImageSize, long> _perBucket = [];
    private readonly int[] _credits = new int[Weights.Length];

    /// <summary>Requests that wait.</summary>
    public int Count => _nodes.Count;

    /// <summary>Time stamp of the oldest request, or null when none waits.</summary>
    public long? OldestEnqueuedAt
    {
        get
        {
            long? oldest = null;
            foreach (var list in _waiting)
            {
                if (list.First is { } first && !(oldest <= first.Value.EnqueuedAt))
                {
                    oldest = first.Value.EnqueuedAt;
                }
            }

            return oldest;
        }
    }

    /// <summary>Adds a request at the end of its priority.</summary>
    public void Add(PendingRequest request)
    {
        _nodes.Add(request, _waiting[(int)request.Request.Priority].AddLast(request));
        CollectionsMarshal.GetValueRefOrAddDefault(_perBucket, request.Bucket, out _) += request.Weight;
    }

    /// <summary>Takes a request out.</summary>
    /// <returns>False when it is not here (any more).</returns>
    public bool Remove(PendingRequest request)
    {
        if (!_nodes.Remove(request, out var node))
        {
            return false;
        }

        node.List!.Remove(node);
        if ((CollectionsMarshal.GetValueRefOrNullRef(_perBucket, request.Bucket) -= request.Weight) == 0)
        {
            _perBucket.Remove(request.Bucket);
        }

        return true;
    }

    /// <summary>Whether a bucket's requests are worth a batch of this size.</summary>
    public bool HasFullBatch(ImageSize bucket, int size) =>
        _perBucket.GetValueOrDefault(bucket) >= size;

    /// <summary>The request that <see cref="TakeBatch"/> would build a batch around; changes nothing.</summary>
    /// <param name="size">Images of a full batch.</param>
    /// <param name="dueBy">Requests with this time stamp or an earlier one have waited long enough.</param>
    /// <returns>Null when none is ready.</returns>
    public PendingRequest? PeekHead(int size, long dueBy)
    {
        PendingRequest? head = null;
        var most = 0;
        for (var priority = 0; priority < Weights.Length; priority++)
        {
            var credits = _credits[priority] + Weights[priority];
            if (OldestReady(priority, size, dueBy) is { } ready && (head is null || credits > most))
            {
                (head, most) = (ready, credits);
            }
        }

        return head;
    }

    /// <summary>Takes the next batch out: requests of one bucket, the head first, that are worth
    /// <paramref name="size"/> images together at most; the head alone if it is worth more.</summary>
    /// <param name="size">Images of a full batch.</param>
    /// <param name="dueBy">Requests with this time stamp or an earlier one have waited long enough.</param>
    /// <exception cref="InvalidOperationException">None is ready.</exception>
    public List<PendingRequest> TakeBatch(int size, long dueBy)
    {
        var head = PeekHead(size, dueBy) ?? throw new InvalidOperationException("No request is ready.");
        Charge((int)head.Request.Priority, size, dueBy);
        Remove(head);
        var batch = new List<PendingRequest>(Math.Min(size, Count + 1)) { head };
        var left = size - head.Weight;
        foreach (var list in _waiting)
        {
            for (var node = list.First; node is not null && left > 0;)
            {
                var next = node.Next;
                if (node.Value.Bucket == head.Bucket && node.Value.Weight <= left)
                {
                    left -= node.Value.Weight;
                    batch.Add(node.Value);
                    Remove(node.Value);
                }

                node = next;
            }
        }

        return batch;
    }

    /// <summary>Takes everything out.</summary>
    public List<PendingRequest> TakeAll()
    {
        var all = _waiting.SelectMany(list => list).ToList();
        foreach (var request in all)
        {
            Remove(request);
        }

        return all;
    }

    /// <summary>The oldest request of a priority that has waited long enough or whose bucket is full.</summary>
    private PendingRequest? OldestReady(int priority, int size, long dueBy)
    {
        for (var node = _waiting[priority].First; node is not null; node = node.Next)
        {
            if (node.Value.EnqueuedAt <= dueBy || HasFullBatch(node.Value.Bucket, size))
            {
                return node.Value;
            }
        }

        return null;
    }

    /// <summary>Smooth weighted round-robin: every priority that is ready earns its weight, and the chosen one, which
    /// is the richest, pays for all.</summary>
    private void Charge(int chosen, int size, long dueBy)
    {
        for (var priority = 0; priority < Weights.Length; priority++)
        {
            if (OldestReady(priority, size, dueBy) is null)
            {
                _credits[priority] = 0;
                continue;
            }

            _credits[priority] += Weights[priority];
            _credits[chosen] -= Weights[priority];
        }
    }
}
