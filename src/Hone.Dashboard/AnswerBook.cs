namespace Hone.Optimizers;

/// <summary>Which answers a page asks for.</summary>
/// <param name="Latest">Those of the latest validation instead of the best one.</param>
/// <param name="Change">Only those that became better (1) or worse (-1); all with 0.</param>
/// <param name="Skip">How many rows to leave out.</param>
internal readonly record struct AnswerQuery(bool Latest, int Change, int Skip)
{
    public const int PageSize = 20;
}

/// <summary>What the program answered before training, at its best and at last: three sets, however long the run is. Not thread-safe.</summary>
internal sealed class AnswerBook
{
    private GrpoValidated? before;
    private GrpoValidated? best;
    private GrpoValidated? latest;

    public void Add(GrpoValidated validated)
    {
        if (validated.Answers.Count == 0)
            return;
        before ??= validated;
        latest = validated;
        if (best is null || validated.Validation.IsBest)
            best = validated;
    }

    public AnswerPage? Page(AnswerQuery query)
    {
        if (before is null || (query.Latest ? latest : best) is not { } after)
            return null;
        var rows = before.Answers.Zip(after.Answers, (first, second) => (First: first, Second: second))
            .Select((pair, index) => (Row: new AnswerRow(index, pair.First, pair.Second), Change: pair.Second.Score - pair.First.Score))
            .ToArray();
        return new(
            before.Validation.Step,
            after.Validation.Step,
            rows.Length,
            rows.Count(row => row.Change > 0),
            rows.Count(row => row.Change < 0),
            [
                .. rows.Where(row => query.Change == 0 || Math.Sign(row.Change) == query.Change)
                    .OrderByDescending(row => Math.Abs(row.Change)).ThenBy(row => row.Row.Index)
                    .Skip(query.Skip).Take(AnswerQuery.PageSize).Select(row => row.Row),
            ]);
    }
}
