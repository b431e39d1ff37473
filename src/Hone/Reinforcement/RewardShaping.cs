namespace Hone.Reinforcement;

/// <summary>
/// Changes of a reward that look at the tokens of a completion: for <c>GrpoOptions.Credit</c>, where a call's tokens are known. All are pure functions.
/// </summary>
public static class RewardShaping
{
    /// <summary>
    /// What to add for length: 0 up to <paramref name="longest"/> - <paramref name="cache"/> tokens, falling to -1 at <paramref name="longest"/>, -1 beyond
    /// (soft overlong punishment, DAPO, arXiv 2503.14476, eq. 13).
    /// </summary>
    /// <param name="length">Tokens of the completion.</param>
    /// <param name="longest">Length at which the whole punishment is reached, in tokens.</param>
    /// <param name="cache">Tokens over which it grows.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="cache"/> is not above 0, or above <paramref name="longest"/>.</exception>
    public static double SoftOverlong(int length, int longest, int cache)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(cache);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(cache, longest);
        var soft = longest - cache;
        return length <= soft ? 0 : length <= longest ? (soft - length) / (double)cache : -1;
    }

    /// <summary>
    /// A positive reward, less for length: whole up to <paramref name="soft"/> tokens, nothing at <paramref name="longest"/>, negative beyond. Other rewards
    /// stay as they are.
    /// </summary>
    /// <param name="reward">The reward.</param>
    /// <param name="length">Tokens of the completion.</param>
    /// <param name="soft">Tokens that cost nothing.</param>
    /// <param name="longest">Tokens at which nothing is left.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="soft"/> is not below <paramref name="longest"/>.</exception>
    public static double LengthPenalty(double reward, int length, int soft, int longest)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(soft, longest);
        return reward <= 0 || length <= soft ? reward : reward * (1 - ((length - soft) / (double)(longest - soft)));
    }

    /// <summary>
    /// What to add for repetition: the share of runs of <paramref name="size"/> tokens that are not new, times <paramref name="most"/>
    /// (arXiv 2502.03373); 0 for a completion shorter than a run.
    /// </summary>
    /// <param name="tokens">Tokens of the completion.</param>
    /// <param name="size">Tokens of a run.</param>
    /// <param name="most">The value for nothing but repetition; not positive.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is below 1, or <paramref name="most"/> above 0.</exception>
    public static double RepetitionPenalty(IReadOnlyList<int> tokens, int size = 3, double most = -1)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(most, 0);
        var count = tokens.Count - size + 1;
        if (count < 1)
            return 0;
        int[] all = [.. tokens];
        var seen = new HashSet<ArraySegment<int>>(new SameTokens());
        for (var start = 0; start < count; start++)
            seen.Add(new(all, start, size));
        return most * (1 - (seen.Count / (double)count));
    }

    /// <summary>The reward of a completion that ended by itself; 0 for one that the token limit cut off.</summary>
    /// <param name="reward">The reward.</param>
    /// <param name="isTruncated">Whether the limit cut it off.</param>
    public static double ZeroTruncated(double reward, bool isTruncated) => isTruncated ? 0 : reward;

    private sealed class SameTokens : IEqualityComparer<ArraySegment<int>>
    {
        public bool Equals(ArraySegment<int> x, ArraySegment<int> y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(ArraySegment<int> obj)
        {
            var hash = new HashCode();
            foreach (var token in obj.AsSpan())
                hash.Add(token);
            return hash.ToHashCode();
        }
    }
}
