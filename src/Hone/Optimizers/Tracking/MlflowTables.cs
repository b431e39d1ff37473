using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Optimizers;

/// <summary>What a run has found as the tables that MLflow shows of a run, under the names that GEPA's own trackers use.</summary>
internal static class MlflowTables
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Name and content of each table that has a row.</summary>
    /// <param name="candidates">All candidates.</param>
    /// <param name="instructions">What predictors are told where a candidate says nothing else, by path.</param>
    /// <param name="proposals">The texts that models proposed, in order.</param>
    public static IEnumerable<(string Name, string Json)> Of(
        ImmutableArray<OptimizationCandidate> candidates, ImmutableSortedDictionary<string, string> instructions, IEnumerable<TextProposed> proposals)
    {
        (string Name, string[] Columns, IEnumerable<object?[]> Rows)[] tables =
        [
            ("candidates", ["candidate_idx", "origin", "parents", "score", "component", "text"], candidates.SelectMany(candidate => Texts(candidate, instructions))),
            ("valset_scores", ["candidate_idx", "val_id", "score"], candidates.SelectMany(candidate => candidate.Scores.Select((score, i) => new object?[] { candidate.Index, i, score }))),
            ("valset_pareto_front", ["val_id", "best_score", "candidates"], Front(candidates)),
            ("objective_scores", ["candidate_idx", "objective", "score"], candidates.SelectMany(candidate => candidate.Parts.Select(part => new object?[] { candidate.Index, part.Key, part.Value }))),
            ("objective_pareto_front", ["objective", "best_score", "candidates"], Objectives(candidates)),
            ("proposals", ["number", "component", "text", "error"], proposals.Select((proposal, i) => new object?[] { i + 1, proposal.Component, proposal.Text, proposal.Error })),
        ];
        foreach (var (name, columns, rows) in tables)
        {
            JsonNode[] data = [.. rows.Select(row => new JsonArray([.. row.Select(Cell)]))];
            if (data.Length > 0)
                yield return (name, new JsonObject { ["columns"] = new JsonArray([.. columns.Select(column => (JsonNode)column)]), ["data"] = new JsonArray(data) }.ToJsonString(Plain));
        }
    }

    // A row a text.
    private static IEnumerable<object?[]> Texts(OptimizationCandidate candidate, ImmutableSortedDictionary<string, string> instructions) => instructions
        .Select(text => new object?[]
        {
            candidate.Index, candidate.Origin, string.Join(", ", candidate.Parents), candidate.Score, text.Key, candidate.State[text.Key].Instructions ?? text.Value,
        });

    private static IEnumerable<object?[]> Front(ImmutableArray<OptimizationCandidate> candidates)
    {
        OptimizationCandidate[] scored = [.. candidates.Where(candidate => !candidate.Scores.IsEmpty)];
        for (var i = 0; scored.Length > 0 && i < scored[0].Scores.Length; i++)
        {
            var best = scored.Max(candidate => candidate.Scores[i]);
            yield return [i, best, string.Join(", ", scored.Where(candidate => candidate.Scores[i] == best).Select(candidate => candidate.Index))];
        }
    }

    private static IEnumerable<object?[]> Objectives(ImmutableArray<OptimizationCandidate> candidates) => candidates
        .SelectMany(candidate => candidate.Parts.Select(part => (part.Key, part.Value, candidate.Index)))
        .GroupBy(part => part.Key, StringComparer.Ordinal)
        .OrderBy(objective => objective.Key, StringComparer.Ordinal)
        .Select(objective =>
        {
            var best = objective.Max(part => part.Value);
            return new object?[] { objective.Key, best, string.Join(", ", objective.Where(part => part.Value == best).Select(part => part.Index)) };
        });

    private static JsonNode? Cell(object? value) => value switch
    {
        null => null,
        int number => number,
        double number => double.IsFinite(number) ? number : null,
        _ => (string)value,
    };
}
