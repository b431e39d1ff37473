using System.Collections.Immutable;
using System.Globalization;

namespace Hone;

/// <summary>
/// The last calls, for a person to look at. Kept only where a model's <see cref="LM.History"/> says so; bounded, safe under concurrent calls, and
/// without media. It holds prompts and answers in clear: give it a redaction where those are confidential.
/// </summary>
public sealed class CallHistory
{
    private readonly Lock gate = new();
    private readonly CallHistoryEntry?[] ring;
    private readonly Func<CallHistoryEntry, CallHistoryEntry?>? redact;
    private long added;

    /// <summary>Creates a history.</summary>
    /// <param name="capacity">Most calls kept; the oldest goes first.</param>
    /// <param name="redact">Changes an entry before it is kept; null drops it.</param>
    /// <param name="time">The clock; the system's by default.</param>
    public CallHistory(int capacity = 100, Func<CallHistoryEntry, CallHistoryEntry?>? redact = null, TimeProvider? time = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ring = new CallHistoryEntry?[capacity];
        this.redact = redact;
        Time = time ?? TimeProvider.System;
    }

    /// <summary>The calls that are kept, oldest first.</summary>
    public ImmutableArray<CallHistoryEntry> Entries => Last(int.MaxValue);

    internal TimeProvider Time { get; }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        lock (gate)
        {
            Array.Clear(ring);
            added = 0;
        }
    }

    /// <summary>The last calls in words, oldest of them first.</summary>
    public string Inspect(int count = 1)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        Inspect(text, count);
        return text.ToString();
    }

    /// <summary>Writes the last calls in words, oldest of them first.</summary>
    public void Inspect(TextWriter writer, int count = 1)
    {
        ArgumentNullException.ThrowIfNull(writer);
        foreach (var entry in Last(count))
            HistoryPrinter.Print(writer, entry);
    }

    internal void Add(CallHistoryEntry entry)
    {
        if (redact is not null)
        {
            if (redact(entry) is not { } redacted)
                return;
            entry = redacted;
        }

        lock (gate)
            ring[(int)(added++ % ring.Length)] = entry;
    }

    private ImmutableArray<CallHistoryEntry> Last(int count)
    {
        lock (gate)
        {
            var kept = (int)Math.Min(Math.Max(count, 0), Math.Min(added, ring.Length));
            var entries = ImmutableArray.CreateBuilder<CallHistoryEntry>(kept);
            for (var i = added - kept; i < added; i++)
                entries.Add(ring[(int)(i % ring.Length)]!);
            return entries.MoveToImmutable();
        }
    }
}
