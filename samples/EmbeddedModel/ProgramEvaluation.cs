using Microsoft.Extensions.AI;

namespace EmbeddedModel;

/// <summary>How the research program does on some claims.</summary>
/// <param name="Recall">Mean share of the titles to find that were retrieved; 0 for a run that failed.</param>
/// <param name="Failures">Share of the runs that ended with an answer that could not be read.</param>
/// <param name="QueryAccuracy">Share of the right next query, for the first and the second query.</param>
internal sealed record EvaluationSummary(double Recall, double Failures, double FirstQuery, double SecondQuery)
{
    public override string ToString() =>
        $"recall {Recall:f3} ± {Error:f3}, unreadable {Failures:f3}, found the second title {FirstQuery:f3}, the third {SecondQuery:f3}";

    /// <summary>Standard error of the mean recall.</summary>
    public double Error { get; init; }

    /// <summary>Mean recall by kind of claim.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> ByKind { get; init; } = [];
}

/// <summary>Runs the research program as users run it: through its predictors, the chat adapter and a chat client.</summary>
internal static class ProgramEvaluation
{
    /// <summary>Evaluates a client on claims, many runs side by side.</summary>
    /// <param name="client">The model.</param>
    /// <param name="search">The world's index.</param>
    /// <param name="tasks">The claims.</param>
    /// <param name="temperature">0 is greedy.</param>
    /// <param name="seed">Seed of the sampling.</param>
    public static async Task<EvaluationSummary> RunAsync(IChatClient client, IRetriever search, IReadOnlyList<ResearchTask> tasks, float temperature, long seed)
    {
        var program = new Program<Claim, Research>(
            new ResearchHop(search), new LM(client) { Options = new() { Temperature = temperature, MaxOutputTokens = 64 } });
        var runs = new Task<IReadOnlyList<string>?>[tasks.Count];
        for (var i = 0; i < runs.Length; i++)
            runs[i] = TitlesAsync(program, tasks[i].Claim, new SeedStream(seed).Derive("run", i).Seed);
        var titles = await Task.WhenAll(runs);
        var found = tasks.Zip(titles, (task, run) => task.GoldTitles.Select(title => run?.Contains(title) ?? false).ToArray()).ToArray();
        var recalls = found.Select(gold => gold.Count(hit => hit) / 3.0).ToArray();
        var mean = recalls.Average();
        return new(mean, titles.Count(run => run is null) / (double)tasks.Count, found.Average(gold => gold[1] ? 1.0 : 0), found.Average(gold => gold[2] ? 1.0 : 0))
        {
            Error = Math.Sqrt(recalls.Average(recall => (recall - mean) * (recall - mean)) / recalls.Length),
            ByKind = [.. tasks.Zip(recalls).GroupBy(run => run.First.Kind).OrderBy(kind => kind.Key, StringComparer.Ordinal)
                .Select(kind => KeyValuePair.Create(kind.Key, kind.Average(run => run.Second)))],
        };
    }

    // Null for a run that ended with an unreadable answer.
    private static async Task<IReadOnlyList<string>?> TitlesAsync(Program<Claim, Research> program, Claim claim, long seed)
    {
        await Task.Yield();
        try
        {
            return (await program.RunAsync(claim, new RunOptions { Seed = seed, Recovery = RecoveryPolicy.None })).Value.Titles;
        }
        catch (AdapterParseException)
        {
            return null;
        }
    }
}
