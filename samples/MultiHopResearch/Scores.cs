using System.Collections.Immutable;

namespace MultiHopResearch;

/// <summary>Greedy recall on the held-out sets.</summary>
internal static class Scores
{
    public static async Task<ImmutableArray<EvaluationResult<Claim, Research>>> MeasureAsync(
        IResearchData data, LM model, int maxOutputTokens, CancellationToken cancellationToken)
    {
        // The model itself is measured: an answer that cannot be read counts as it is, as in training.
        var evaluator = Evaluator.Create(ResearchData.Recall, new()
        {
            MaxParallelism = 64,
            MaxErrors = int.MaxValue,
            Options = new() { Temperature = 0, MaxOutputTokens = maxOutputTokens },
            Recovery = RecoveryPolicy.None,
        });
        var results = ImmutableArray.CreateBuilder<EvaluationResult<Claim, Research>>(data.HeldOut.Length);
        foreach (var set in data.HeldOut)
            results.Add(await evaluator.EvaluateAsync(set.Program.WithModel(model), set.Claims, cancellationToken));
        return results.MoveToImmutable();
    }
}
