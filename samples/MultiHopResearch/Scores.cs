namespace MultiHopResearch;

/// <summary>Greedy recall on both held-out sets.</summary>
internal sealed record Scores(EvaluationResult<Claim, Research> Test, EvaluationResult<Claim, Research> Unseen)
{
    public static async Task<Scores> MeasureAsync(Worlds worlds, LM model, int maxOutputTokens, CancellationToken cancellationToken)
    {
        // The model itself is measured: an answer that cannot be read counts as it is, as in training.
        var evaluator = Evaluator.Create(Worlds.Recall, new()
        {
            MaxParallelism = 64,
            MaxErrors = int.MaxValue,
            Options = new() { Temperature = 0, MaxOutputTokens = maxOutputTokens },
            Recovery = RecoveryPolicy.None,
        });
        return new(
            await evaluator.EvaluateAsync(worlds.HomeProgram.WithModel(model), worlds.Test, cancellationToken),
            await evaluator.EvaluateAsync(worlds.UnseenProgram.WithModel(model), worlds.UnseenTest, cancellationToken));
    }
}
