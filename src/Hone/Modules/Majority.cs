namespace Hone;

/// <summary>Picks the completion that most others agree with (self-consistency).</summary>
public static class Majority
{
    /// <summary>Normalises text as <see cref="TextMetrics.Normalize(string)"/> does, nothing left counting as null; other values stay as they are.</summary>
    public static object? NormalizeText(object? value) =>
        value is string text ? TextNormalizer.Normalize(text) is { Length: > 0 } normalized ? normalized : null : value;

    /// <summary>The first completion whose value is the most frequent one; of equally frequent values the earliest wins.</summary>
    /// <param name="completions">Outputs of several samples.</param>
    /// <param name="field">The field to vote on; null takes the last field of the first completion.</param>
    /// <param name="normalize">
    /// Maps values to what is counted; null takes <see cref="NormalizeText"/>. A value mapped to null does not vote unless all are. Pass
    /// <c>value => value</c> to count values as they are.
    /// </param>
    /// <exception cref="HoneException">There are no completions, or one lacks the field.</exception>
    public static FieldMap Of(IReadOnlyList<FieldMap> completions, string? field = null, Func<object?, object?>? normalize = null) =>
        completions[IndexOf(completions, field, normalize)];

    /// <summary>As <see cref="Of(IReadOnlyList{FieldMap}, string, Func{object, object})"/>, but gives the position of the completion.</summary>
    public static int IndexOf(IReadOnlyList<FieldMap> completions, string? field = null, Func<object?, object?>? normalize = null)
    {
        ArgumentNullException.ThrowIfNull(completions);
        if (completions.Count == 0)
            throw new HoneException("There are no completions to vote on. Pass at least one.");
        field ??= completions[0].Keys.LastOrDefault()
            ?? throw new HoneException("The first completion has no fields, so there is nothing to vote on.");
        normalize ??= NormalizeText;
        return MostFrequent([.. completions.Select(completion => normalize(completion[field]))]);
    }

    /// <summary>
    /// The first of several typed samples whose value is the most frequent one; of equally frequent values the earliest wins. Samples that failed do not vote.
    /// </summary>
    /// <param name="samples">What <c>SampleAsync</c> or <c>CallManyAsync</c> gave.</param>
    /// <param name="select">What is voted on; null votes on the whole value. Records and lists are compared by what they hold.</param>
    /// <param name="normalize">
    /// Maps values to what is counted; null takes <see cref="NormalizeText"/>. A value mapped to null does not vote unless all are. Records come as
    /// <see cref="FieldMap"/>.
    /// </param>
    /// <exception cref="HoneException">There are no samples, or all failed; the inner exception holds the causes.</exception>
    public static T Of<T>(IEnumerable<ItemResult<T>> samples, Func<T, object?>? select = null, Func<object?, object?>? normalize = null)
    {
        ArgumentNullException.ThrowIfNull(samples);
        normalize ??= NormalizeText;
        ItemResult<T>[] all = [.. samples];
        T[] values = [.. all.Where(sample => sample.Succeeded).Select(sample => sample.Value!)];
        if (values.Length == 0)
        {
            Exception[] causes = [.. all.Select(sample => sample.Error).OfType<Exception>()];
            throw causes.Length == 0
                ? new HoneException("There are no samples to vote on. Pass at least one.")
                : new HoneException($"None of {all.Length} samples can vote: all failed. The last failed with: {causes[^1].Message}", new AggregateException(causes));
        }

        return values[MostFrequent([.. values.Select(value => normalize(ClrValues.ToCanonical(select is null ? value : select(value))))])];
    }

    private static int MostFrequent(object?[] votes)
    {
        var firsts = new List<(int Index, int Count)>();
        for (var i = 0; i < votes.Length; i++)
        {
            if (votes[i] is null)
                continue;
            var known = firsts.FindIndex(first => FieldMap.ValuesEqual(votes[first.Index], votes[i]));
            if (known < 0)
                firsts.Add((i, 1));
            else
                firsts[known] = (firsts[known].Index, firsts[known].Count + 1);
        }

        return firsts.Count == 0 ? 0 : firsts.MaxBy(first => first.Count).Index;
    }
}
