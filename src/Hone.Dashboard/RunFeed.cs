namespace Hone.Optimizers;

/// <summary>One thing that pages are told: numbered, so that a page that was away gets what it missed.</summary>
internal sealed record FeedEntry(long Id, string Type, byte[] Json);

/// <summary>
/// What pages are told, in order. Readers come with the number of what they last saw; none of them holds memory here, however slow it is. Safe from any
/// thread.
/// </summary>
internal sealed class RunFeed(int capacity)
{
    private readonly Lock gate = new();
    private readonly List<FeedEntry> entries = [];
    private TaskCompletionSource changed = New();
    private long lastId;

    /// <summary>True when nothing will come any more.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>How many entries were dropped because there were too many.</summary>
    public long Dropped { get; private set; }

    public void Append(string type, byte[] json)
    {
        lock (gate)
        {
            entries.Add(new(++lastId, type, json));
            if (entries.Count > capacity)
            {
                var excess = Math.Max(1, capacity / 10);
                entries.RemoveRange(0, excess);
                Dropped += excess;
            }
        }

        Touch();
    }

    /// <summary>Wakes the readers: something changed that is no entry.</summary>
    public void Touch()
    {
        TaskCompletionSource waiting;
        lock (gate)
            (waiting, changed) = (changed, New());
        waiting.TrySetResult();
    }

    public void Close()
    {
        lock (gate)
            IsClosed = true;
        Touch();
    }

    /// <summary>What came after an entry, and what completes when there is more.</summary>
    public (IReadOnlyList<FeedEntry> Entries, Task Changed, bool IsClosed) Read(long after)
    {
        lock (gate)
        {
            // Numbers follow each other, so the position is known.
            var from = entries.Count == 0 ? 0 : (int)Math.Clamp(after - entries[0].Id + 1, 0, entries.Count);
            return (entries[from..], changed.Task, IsClosed);
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
