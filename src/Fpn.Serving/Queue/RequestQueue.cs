using System.Runtime.InteropServices;
using Fpn.Detection.Geometry;

namespace Fpn.Serving.Queue;

/// <summary>The requests that wait for one model's device, and the rule by which they leave.</summary>
/// <remarks>
/// <para>
/// A batch is built around one request, its head, and filled with others of the same bucket. The head's priority is
/// chosen by smooth weighted round-robin among those that wait (16 : 4 : 1), and the head is the oldest of its
/// priority. So no bucket can starve another, since the oldest request goes whatever its bucket, and no priority can
/// starve another: of 21 batches under full load, one starts with a request of low priority.
/// </para>
/// <para>The rest of the batch is filled by priority, then age: it costs the head nothing. Not thread-safe.</para>
/// </remarks>
internal sealed class RequestQueue
{
    private static readonly int[] Weights = [16, 4, 1];

    private readonly LinkedList<PendingRequest>[] _waiting = [new(), new(), new()];
    private readonly Dictionary<PendingRequest, LinkedListNode<PendingRequest>> _nodes = [];
    private readonly Dictionary<ImageSize, int> _perBucket = [];
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
        _nodes.Add(request, _waiting[(int)request.Priority].AddLast(request));
        CollectionsMarshal.GetValueRefOrAddDefault(_perBucket, request.Bucket, out _)++;
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
        if (--CollectionsMarshal.GetValueRefOrNullRef(_perBucket, request.Bucket) == 0)
        {
            _perBucket.Remove(request.Bucket);
        }

        return true;
    }

    /// <summary>Whether some bucket alone could fill a batch of this size.</summary>
    public bool HasFullBatch(int size) => Count >= size && _perBucket.Values.Any(count => count >= size);

    /// <summary>Takes the next batch out: from one to <paramref name="size"/> requests of one bucket, the head first.</summary>
    /// <exception cref="InvalidOperationException">Nothing waits.</exception>
    public List<PendingRequest> TakeBatch(int size)
    {
        var head = _waiting[ChoosePriority()].First!.Value;
        Remove(head);
        var batch = new List<PendingRequest>(Math.Min(size, Count + 1)) { head };
        foreach (var list in _waiting)
        {
            for (var node = list.First; node is not null && batch.Count < size;)
            {
                var next = node.Next;
                if (node.Value.Bucket == head.Bucket)
                {
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

    /// <summary>Smooth weighted round-robin: everyone who waits earns its weight, the richest goes and pays for all.</summary>
    private int ChoosePriority()
    {
        var chosen = -1;
        var earned = 0;
        for (var priority = 0; priority < Weights.Length; priority++)
        {
            if (_waiting[priority].Count == 0)
            {
                _credits[priority] = 0;
                continue;
            }

            _credits[priority] += Weights[priority];
            earned += Weights[priority];
            if (chosen < 0 || _credits[priority] > _credits[chosen])
            {
                chosen = priority;
            }
        }

        if (chosen < 0)
        {
            throw new InvalidOperationException("Nothing waits.");
        }

        _credits[chosen] -= earned;
        return chosen;
    }
}
