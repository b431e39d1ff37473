using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Hone;

/// <summary>Answers in memory, bounded by bytes; the least recently used go first.</summary>
internal sealed class MemoryLayer<T>(long maxBytes, Func<T, long> sizeOf)
    where T : class
{
    private readonly Lock gate = new();
    private readonly Dictionary<ResponseKey, LinkedListNode<Entry>> entries = [];
    private readonly LinkedList<Entry> order = [];
    private long bytes;
    private long evictions;

    public (long Entries, long Bytes, long Evictions) Statistics
    {
        get
        {
            lock (gate)
                return (entries.Count, bytes, evictions);
        }
    }

    public bool TryGet(ResponseKey key, [NotNullWhen(true)] out T? response)
    {
        lock (gate)
        {
            if (!entries.TryGetValue(key, out var node))
            {
                response = null;
                return false;
            }

            if (order.First != node)
            {
                order.Remove(node);
                order.AddFirst(node);
            }

            response = node.Value.Response;
            return true;
        }
    }

    public void Set(ResponseKey key, T response)
    {
        var size = sizeOf(response);
        if (size > maxBytes)
            return;
        lock (gate)
        {
            if (entries.TryGetValue(key, out var old))
                Remove(old);
            entries[key] = order.AddFirst(new Entry(key, response, size));
            bytes += size;
            while (bytes > maxBytes && order.Last is { } last)
            {
                Remove(last);
                evictions++;
            }
        }
    }

    public void Clear()
    {
        lock (gate)
        {
            entries.Clear();
            order.Clear();
            bytes = 0;
        }
    }

    public ImmutableArray<KeyValuePair<ResponseKey, T>> Snapshot()
    {
        lock (gate)
            return [.. order.Select(entry => KeyValuePair.Create(entry.Key, entry.Response))];
    }

    private void Remove(LinkedListNode<Entry> node)
    {
        order.Remove(node);
        entries.Remove(node.Value.Key);
        bytes -= node.Value.Size;
    }

    private sealed record Entry(ResponseKey Key, T Response, long Size);
}
