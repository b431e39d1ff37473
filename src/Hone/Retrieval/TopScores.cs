using System.Runtime.CompilerServices;

namespace Hone;

/// <summary>
/// The best of many scored rows in a heap of fixed size: highest score first, of equal scores the lower row. Which are kept does not depend on the order
/// in which they are offered.
/// </summary>
internal sealed class TopScores(int capacity)
{
    // The first is the worst kept.
    private (float Score, int Row)[] heap = new (float, int)[Math.Min(capacity, 16)];

    public int Count { get; private set; }

    /// <summary>Keeps a row if it is among the best so far.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Offer(float score, int row)
    {
        if (Count < capacity)
            Push((score, row));
        else if (capacity > 0 && IsWorse(heap[0], (score, row)))
            ReplaceWorst((score, row));
    }

    /// <summary>Keeps what is best of another's.</summary>
    public void Merge(TopScores other)
    {
        for (var i = 0; i < other.Count; i++)
            Offer(other.heap[i].Score, other.heap[i].Row);
    }

    /// <summary>The kept rows, best first. The heap is empty afterwards.</summary>
    public (float Score, int Row)[] TakeSorted()
    {
        var sorted = heap.AsSpan(0, Count).ToArray();
        Array.Sort(sorted, static (left, right) => IsWorse(left, right) ? 1 : IsWorse(right, left) ? -1 : 0);
        Count = 0;
        return sorted;
    }

    private static bool IsWorse((float Score, int Row) left, (float Score, int Row) right) =>
        left.Score < right.Score || (left.Score == right.Score && left.Row > right.Row);

    private void Push((float Score, int Row) entry)
    {
        if (Count == heap.Length)
            Array.Resize(ref heap, (int)Math.Min(capacity, heap.Length * 2L));
        var place = Count++;
        for (; place > 0 && IsWorse(entry, heap[(place - 1) / 2]); place = (place - 1) / 2)
            heap[place] = heap[(place - 1) / 2];
        heap[place] = entry;
    }

    private void ReplaceWorst((float Score, int Row) entry)
    {
        var place = 0;
        while (true)
        {
            var child = (2 * place) + 1;
            if (child >= Count)
                break;
            if (child + 1 < Count && IsWorse(heap[child + 1], heap[child]))
                child++;
            if (!IsWorse(heap[child], entry))
                break;
            heap[place] = heap[child];
            place = child;
        }

        heap[place] = entry;
    }
}
