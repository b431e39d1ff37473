using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Hone.Generators.Tests.Modules;

public sealed record Claim(string Text);

public sealed record Research(IReadOnlyList<string> Notes, IReadOnlyList<string> Titles);

public sealed record Verdict(bool IsTrue, string Why);

public enum Mood
{
    Calm,
    Angry,
}

/// <summary>The multi-hop program of the documentation: two predictors, primary-constructor parameters that are captured.</summary>
public sealed partial class ResearchHop(Func<string, IReadOnlyList<string>> search, int hops = 2) : Module<Claim, Research>
{
    [ChainOfThought("Given a claim and key facts, write the search query for the most useful missing fact.")]
    private partial Task<string> GenerateQuery(
        [Description("claim to verify")] string claim, IReadOnlyList<string> keyFacts, CancellationToken cancellationToken);

    [Predict("Extract new notes and the titles of relevant pages.")]
    [return: Output("titles", Description = "titles of the pages used")]
    private partial Task<(List<string> NewNotes, List<string> Titles)> AppendNotes(
        string claim, IReadOnlyList<string> notes, IReadOnlyList<string> context, CancellationToken cancellationToken);

    protected override async Task<Research> ForwardAsync(Claim input, CancellationToken cancellationToken)
    {
        List<string> notes = [], titles = [];
        for (var hop = 0; hop < hops; hop++)
        {
            var query = await GenerateQuery(input.Text, notes, cancellationToken);
            var found = await AppendNotes(input.Text, notes, search(query), cancellationToken);
            notes.AddRange(found.NewNotes);
            titles.AddRange(found.Titles);
        }

        return new(notes, [.. titles.Distinct()]);
    }
}

/// <summary>Every form of result and a parameter of each special sort.</summary>
public sealed partial class Forms : Module<string, string>
{
    [Predict("Decide.")]
    private partial Task<Verdict> DecideAsync(string question, [Range(1, 5)] int strictness = 3, CancellationToken cancellationToken = default);

    [Predict("Rate.", Output = "mood_of_text")]
    private partial ValueTask<Mood?> Rate(string text, History history, CancellationToken cancellationToken);

    [Predict(Output = "verdict")]
    [return: Description("the verdict that holds")]
    private partial Task<Verdict> PickVerdict(IReadOnlyList<Verdict> verdicts, string? @class, CancellationToken cancellationToken);

    [Predict]
    [return: Output("verdict")]
    private partial Task<Verdict> Summarize(CancellationToken cancellationToken, params string[] lines);

    protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken)
    {
        var decided = await DecideAsync(input, cancellationToken: cancellationToken);
        var mood = await Rate(input, History.Empty, cancellationToken);
        var picked = await PickVerdict([decided], null, cancellationToken);
        var summary = await Summarize(cancellationToken, "one", "two");
        return $"{decided.IsTrue} {mood} {picked.Why} {summary.Why}";
    }
}

/// <summary>A generic base class with a predictor of its own.</summary>
public abstract partial class Drafting<TOut> : Module<string, TOut>
    where TOut : class
{
    [ChainOfThought("Write a draft.")]
    protected partial Task<string> WriteDraft(string topic, CancellationToken cancellationToken);

    [Predict("Judge the draft.", Output = "judgement")]
    protected partial Task<TOut> Judge(string draft, CancellationToken cancellationToken);
}

/// <summary>A derived class with another predictor and a hand-written one.</summary>
public sealed partial class Editor : Drafting<Verdict>
{
    private readonly Predict<string, string> _translate = new("Translate.");

    [Predict]
    private partial Task<string> Polish(string draft, CancellationToken cancellationToken);

    protected override async Task<Verdict> ForwardAsync(string input, CancellationToken cancellationToken)
    {
        var draft = await WriteDraft(input, cancellationToken);
        draft = await Polish(draft, cancellationToken);
        return await Judge(await _translate.CallAsync(draft, cancellationToken), cancellationToken);
    }
}

/// <summary>A nested generic module: the fields' types are known only when it is created.</summary>
public static partial class Library
{
    public sealed partial class Extractor<TKey, TRecord> : Module<TKey, TRecord>
        where TKey : notnull
    {
        [Predict("Extract the record.")]
        private partial Task<TRecord> ExtractRecord(TKey key, CancellationToken cancellationToken);

        protected override Task<TRecord> ForwardAsync(TKey input, CancellationToken cancellationToken) => ExtractRecord(input, cancellationToken);
    }
}

/// <summary>Modules in a captured parameter, a list and a dictionary, beside a predictor method.</summary>
public sealed partial class Panel(Module<string, Verdict> chair, IReadOnlyList<Editor> editors) : Module<string, string>
{
    private readonly Dictionary<string, Library.Extractor<string, int>> counters = new() { ["words"] = new() };

    [Predict]
    private partial Task<string> Conclude(IReadOnlyList<Verdict> verdicts, int words, CancellationToken cancellationToken);

    protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken)
    {
        var verdicts = new List<Verdict> { await chair.CallAsync(input, cancellationToken) };
        foreach (var editor in editors)
            verdicts.Add(await editor.CallAsync(input, cancellationToken));
        return await Conclude(verdicts, await counters["words"].CallAsync(input, cancellationToken), cancellationToken);
    }
}

/// <summary>Results with their trace, and options of single calls.</summary>
public sealed partial class Traced : Module<string, string>
{
    [ChainOfThought("Decide.")]
    private partial Task<Prediction<Verdict>> Decide(string question, CallOptions? options, CancellationToken cancellationToken);

    [Predict(Output = "query")]
    private partial ValueTask<Prediction<string?>> Ask(string question, CancellationToken cancellationToken);

    [Predict]
    private partial Task<Prediction<(int Count, string Why)>> CountThem(string text, CancellationToken cancellationToken);

    [Predict(Output = "word")]
    private partial Task<string> Say(string text, CallOptions options, CancellationToken cancellationToken);

    protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken)
    {
        var verdict = await Decide(input, new() { Temperature = 0.25f }, cancellationToken);
        var query = await Ask(input, cancellationToken);
        var counted = await CountThem(input, cancellationToken);
        var word = await Say(input, new() { MaxOutputTokens = 7 }, cancellationToken);
        return $"{verdict.Value.Why} {verdict.Trace.Calls[0].Outputs!["reasoning"]} {query.Value} {query.Usage.Calls} {counted.Value.Count} {counted.Value.Why} {word}";
    }
}
