using System.Buffers;
using System.Collections.Concurrent;
using System.Text;

namespace Hone.Engine;

/// <summary>
/// Byte-pair merges over token ids: repeatedly joins the adjacent pair with the lowest rank, leftmost first, until none is left
/// (Sennrich et al. 2016, arXiv:1508.07909). Short words are merged by scanning, long ones with a heap, so that time is O(n log n).
/// </summary>
internal sealed class BytePairEncoder
{
    private const int CachedLength = 48, CachedWords = 1 << 16, ScannedLength = 64;

    private readonly int[] _idOfByte;
    private readonly Dictionary<long, Merge> _merges;
    private readonly Dictionary<string, int>? _wholeWords;
    private readonly ConcurrentDictionary<string, int[]> _cache = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> _cacheBySpan;
    private int _cached;

    /// <param name="idOfByte">The id of each single byte; -1 leaves the byte out.</param>
    /// <param name="merges">Pairs of ids in order of rank, with the id they become.</param>
    /// <param name="wholeWords">Vocabulary by spelling when a word that is in it takes its id without merges (<c>ignore_merges</c>), or null.</param>
    public BytePairEncoder(int[] idOfByte, IEnumerable<(int Left, int Right, int Merged)> merges, Dictionary<string, int>? wholeWords)
    {
        _idOfByte = idOfByte;
        _wholeWords = wholeWords;
        _merges = [];
        foreach (var (left, right, merged) in merges) _merges[Key(left, right)] = new Merge(_merges.Count, merged);
        _cacheBySpan = _cache.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Appends the ids of one piece of text.</summary>
    public void Encode(ReadOnlySpan<char> piece, List<int> output)
    {
        if (piece.IsEmpty) return;
        var cacheable = piece.Length <= CachedLength;
        if (cacheable && _cacheBySpan.TryGetValue(piece, out var known))
        {
            output.AddRange(known);
            return;
        }
        var start = output.Count;
        EncodeUncached(piece, output);
        if (!cacheable || _cached >= CachedWords) return;
        var ids = new int[output.Count - start];
        output.CopyTo(start, ids, 0, ids.Length);
        if (_cacheBySpan.TryAdd(piece, ids)) Interlocked.Increment(ref _cached);
    }

    private void EncodeUncached(ReadOnlySpan<char> piece, List<int> output)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(piece.Length));
        var length = Encoding.UTF8.GetBytes(piece, bytes);
        if (_wholeWords is not null && _wholeWords.TryGetValue(ByteAlphabet.ToText(bytes.AsSpan(0, length)), out var word))
        {
            output.Add(word);
        }
        else
        {
            var symbols = ArrayPool<int>.Shared.Rent(length);
            var count = 0;
            foreach (var value in bytes.AsSpan(0, length))
                if (_idOfByte[value] >= 0) symbols[count++] = _idOfByte[value];
            count = count <= ScannedLength ? MergeByScan(symbols.AsSpan(0, count)) : MergeByHeap(symbols.AsSpan(0, count));
            output.AddRange(symbols.AsSpan(0, count));
            ArrayPool<int>.Shared.Return(symbols);
        }
        ArrayPool<byte>.Shared.Return(bytes);
    }

    private int MergeByScan(Span<int> symbols)
    {
        Span<Merge> pairs = stackalloc Merge[ScannedLength];
        for (var i = 0; i + 1 < symbols.Length; i++) pairs[i] = Find(symbols[i], symbols[i + 1]);
        var count = symbols.Length;
        while (true)
        {
            var best = -1;
            for (var i = 0; i + 1 < count; i++)
                if (pairs[i].Rank < (best < 0 ? int.MaxValue : pairs[best].Rank)) best = i;
            if (best < 0) return count;
            symbols[best] = pairs[best].Merged;
            symbols[(best + 2)..count].CopyTo(symbols[(best + 1)..]);
            pairs[(best + 1)..count].CopyTo(pairs[best..]);
            count--;
            if (best > 0) pairs[best - 1] = Find(symbols[best - 1], symbols[best]);
            if (best + 1 < count) pairs[best] = Find(symbols[best], symbols[best + 1]);
        }
    }

    private int MergeByHeap(Span<int> symbols)
    {
        var count = symbols.Length;
        var next = new int[count];
        var previous = new int[count];
        var heap = new PriorityQueue<(int At, int Left, int Right), (int Rank, int At)>(count);
        for (var i = 0; i < count; i++) (previous[i], next[i]) = (i - 1, i + 1);
        for (var i = 0; i + 1 < count; i++) Push(heap, i, symbols[i], symbols[i + 1]);
        while (heap.TryDequeue(out var pair, out _))
        {
            var right = symbols[pair.At] == pair.Left ? next[pair.At] : count;
            if (right >= count || symbols[right] != pair.Right) continue; // merged away meanwhile
            symbols[pair.At] = Find(pair.Left, pair.Right).Merged;
            symbols[right] = -1;
            next[pair.At] = next[right];
            if (next[right] < count)
            {
                previous[next[right]] = pair.At;
                Push(heap, pair.At, symbols[pair.At], symbols[next[right]]);
            }
            if (previous[pair.At] >= 0) Push(heap, previous[pair.At], symbols[previous[pair.At]], symbols[pair.At]);
        }
        var kept = 0;
        foreach (var symbol in symbols)
            if (symbol >= 0) symbols[kept++] = symbol;
        return kept;
    }

    private void Push(PriorityQueue<(int At, int Left, int Right), (int Rank, int At)> heap, int at, int left, int right)
    {
        var merge = Find(left, right);
        if (merge.Rank != int.MaxValue) heap.Enqueue((at, left, right), (merge.Rank, at));
    }

    private Merge Find(int left, int right) => _merges.TryGetValue(Key(left, right), out var merge) ? merge : new Merge(int.MaxValue, -1);

    private static long Key(int left, int right) => ((long)left << 32) | (uint)right;

    private readonly record struct Merge(int Rank, int Merged);
}
