namespace Hone;

/// <summary>Picks the completion that most others agree with (self-consistency).</summary>
public static class Majority
{
    /// <summary>Normalises text as <see cref="TextMetrics.Normalize"/> does, nothing left counting as null; other values stay as they are.</summary>
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

    /// <summary>As <see cref="Of"/>, but gives the position of the completion.</summary>
    public static int IndexOf(IReadOnlyList<FieldMap> completions, string? field = null, Func<object?, object?>? normalize = null)
    {
        ArgumentNullException.ThrowIfNull(completions);
        if (completions.Count == 0)
            throw new HoneException("There are no completions to vote on. Pass at least one.");
        field ??= completions[0].Keys.LastOrDefault()
            ?? throw new HoneException("The first completion has no fields, so there is nothing to vote on.");
        normalize ??= NormalizeText;
        var votes = completions.Select(completion => normalize(completion[field])).ToList();
        var firsts = new List<(int Index, int Count)>();
        for (var i = 0; i < votes.Count; i++)
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
