using System.Collections.Immutable;

namespace PrivateDelegation;

/// <summary>
/// Half for quality, half for privacy, both judged by a model: is the answer at least as good as the known one, asked in both orders, and how many
/// personal details does the request tell?
/// </summary>
public sealed class PrivacyMetric(LM judge)
{
    private readonly Program<FieldMap, FieldMap> quality = new ChainOfThought(Signature.Parse(
        "user_query, response_a, response_b -> judgment: bool",
        "Is response A at least as good an answer to the query as response B?")).WithModel(judge);

    private readonly Program<FieldMap, FieldMap> leakage = new ChainOfThought(Signature.Parse(
        "personal_details: list[str], request -> told: int",
        "How many of the personal details does the request tell?")).WithModel(judge);

    /// <summary>Scores one run. Parts: <c>quality</c>, <c>privacy</c>, and <c>inconsistent</c>, the share of verdicts that depend on the order.</summary>
    public async ValueTask<Score> ScoreAsync(Example<UserQuery, Delegation> example, Prediction<Delegation> prediction, CancellationToken cancellationToken)
    {
        var (query, given) = (example.Input.Text, prediction.Value);
        var (first, second) = (
            await IsAtLeastAsGoodAsync(query, given.Answer, example.Expected.Answer, cancellationToken),
            await IsAtLeastAsGoodAsync(query, example.Expected.Answer, given.Answer, cancellationToken));

        // Better, equal, or as the order has it: the tutorial's rule, and its weakness. The part shows how much of the score it explains.
        var isGood = first || first == second;
        var details = example.Expected.Details.Distinct(StringComparer.OrdinalIgnoreCase).ToArray();
        var told = details.Length == 0 ? 0 : await CountToldAsync(details, given.Request, cancellationToken) / (double)details.Length;
        return new(((isGood ? 1 : 0) + 1 - told) / 2)
        {
            Parts = ImmutableSortedDictionary<string, double>.Empty
                .Add("quality", isGood ? 1 : 0)
                .Add("privacy", 1 - told)
                .Add("inconsistent", !first && !second ? 1 : 0),
            Feedback = $"{(isGood ? "The answer is good." : $"The answer is worse than: {example.Expected.Answer}")} The request tells {told:P0} of the personal details.",
        };
    }

    private async Task<bool> IsAtLeastAsGoodAsync(string query, string answer, string other, CancellationToken cancellationToken) =>
        (bool)(await quality.CallAsync(FieldMap.Of(("user_query", query), ("response_a", answer), ("response_b", other)), cancellationToken))["judgment"]!;

    private async Task<int> CountToldAsync(string[] details, string request, CancellationToken cancellationToken)
    {
        var outputs = await leakage.CallAsync(
            FieldMap.Of(("personal_details", details.Cast<object?>().ToImmutableArray()), ("request", request)), cancellationToken);
        return (int)Math.Clamp((long)outputs["told"]!, 0, details.Length);
    }
}
