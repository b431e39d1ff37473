using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Optimizers;

/// <summary>Settings of <see cref="Ensemble{TIn,TOut}"/>.</summary>
public sealed record EnsembleOptions
{
    /// <summary>Programs that answer each call, chosen by the input: the same input has the same ones. Null asks all.</summary>
    public int? Size { get; init; }

    /// <summary>Programs that must answer; fewer answers are an error with their causes.</summary>
    /// <value>1 by default.</value>
    public int Quorum
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(Quorum)); field = value; }
    } = 1;

    /// <summary>How much each program counts, in the programs' order, e.g. its validation score; 0 and up. Empty counts all alike.</summary>
    public ImmutableArray<double> Weights { get; init; } = [];

    /// <summary>Seed of the choice.</summary>
    public long Seed { get; init; }
}

/// <summary>What a member of an ensemble answered.</summary>
/// <param name="Program">The member's position.</param>
/// <param name="Value">The answer.</param>
/// <param name="Weight">How much the member counts.</param>
public readonly record struct EnsembleAnswer<TOut>(int Program, TOut Value, double Weight);

/// <summary>
/// Asks several programs the same thing, side by side, and makes one answer of theirs. A module like any other: it can be a part, or a judge. Its members
/// are programs of their own, so it has no predictors whose calls a student could learn from: as a teacher, take one of the members.
/// </summary>
public sealed class Ensemble<TIn, TOut> : Module<TIn, TOut>
{
    private readonly Func<IReadOnlyList<EnsembleAnswer<TOut>>, TOut> reduce;
    private readonly EnsembleOptions options;

    /// <summary>Creates an ensemble.</summary>
    /// <param name="programs">The members, e.g. the best candidates of a search.</param>
    /// <param name="reduce">Makes one answer of the members' answers, which are in the members' order; see <see cref="Ensemble.MajorityOf{TOut}"/>.</param>
    /// <param name="options">How many answer, how many must.</param>
    /// <exception cref="HoneException">There are no programs, or fewer than the options ask for.</exception>
    public Ensemble(IReadOnlyList<Program<TIn, TOut>> programs, Func<IReadOnlyList<TOut>, TOut> reduce, EnsembleOptions? options = null)
        : this(programs, Unweighted(reduce), options)
    {
    }

    /// <summary>Creates an ensemble whose members count differently.</summary>
    /// <param name="programs">The members, e.g. the best candidates of a search.</param>
    /// <param name="reduce">
    /// Makes one answer of the members' answers, which come with the members' positions and weights; see <see cref="Ensemble.WeightedMajorityOf{TOut}"/>.
    /// </param>
    /// <param name="options">How much each counts, how many answer, how many must.</param>
    /// <exception cref="HoneException">There are no programs, fewer than the options ask for, or not as many as there are weights.</exception>
    public Ensemble(IReadOnlyList<Program<TIn, TOut>> programs, Func<IReadOnlyList<EnsembleAnswer<TOut>>, TOut> reduce, EnsembleOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(programs);
        ArgumentNullException.ThrowIfNull(reduce);
        this.options = options ?? new();
        var needed = Math.Max(this.options.Size ?? 1, this.options.Quorum);
        if (programs.Count < needed || this.options.Size < 1)
            throw new HoneException($"The ensemble has {programs.Count} programs; its options ask for {needed}.");
        if (!this.options.Weights.IsDefaultOrEmpty && this.options.Weights.Length != programs.Count)
            throw new HoneException($"The ensemble has {programs.Count} programs and {this.options.Weights.Length} weights: give each program one.");
        if (!this.options.Weights.IsDefaultOrEmpty && this.options.Weights.Any(weight => !(weight >= 0) || double.IsInfinity(weight)))
            throw new HoneException("A weight of the ensemble is negative or no number. Shift scores that may be negative.");
        (Programs, this.reduce) = (programs, reduce);
    }

    /// <summary>The members.</summary>
    public IReadOnlyList<Program<TIn, TOut>> Programs { get; }

    /// <summary>What each asked member answers, in the members' order; a failure is one of the results.</summary>
    public async Task<IReadOnlyList<ItemResult<TOut>>> CallAllAsync(TIn input, CancellationToken cancellationToken = default)
    {
        var asked = Asked(input);
        var results = await ParallelRunner.RunAsync(
            asked,
            (index, _, token) => Programs[index].CallAsync(input, token),
            new() { MaxParallelism = asked.Length, MaxErrors = asked.Length },
            cancellationToken).ConfigureAwait(false);
        return results;
    }

    /// <summary>The members' states as JSON; their code and models are not part of it.</summary>
    public string SaveState() => new JsonObject
    {
        ["format"] = Ensemble.Format,
        ["programs"] = new JsonArray([.. Programs.Select(program => JsonNode.Parse(program.SaveState()))]),
    }.ToJsonString();

    /// <summary>This ensemble with the states of a JSON text that <see cref="SaveState"/> gave.</summary>
    /// <exception cref="HoneException">The text is not an ensemble's, or has another number of programs.</exception>
    public Ensemble<TIn, TOut> LoadState(string json)
    {
        using var document = JsonDocument.Parse(json);
        if (!document.RootElement.TryGetProperty("format", out var format) || format.GetString() != Ensemble.Format)
            throw new HoneException($"The text is not a saved ensemble: it lacks \"format\": \"{Ensemble.Format}\".");
        JsonElement[] saved = [.. document.RootElement.GetProperty("programs").EnumerateArray()];
        if (saved.Length != Programs.Count)
            throw new HoneException($"The saved ensemble has {saved.Length} programs and this one {Programs.Count}: make it of as many.");
        return new([.. Programs.Select((program, i) => program.LoadState(saved[i].GetRawText(), $"Program {i} of the ensemble"))], reduce, options);
    }

    /// <inheritdoc/>
    protected override async Task<TOut> ForwardAsync(TIn input, CancellationToken cancellationToken)
    {
        var (asked, results) = (Asked(input), await CallAllAsync(input, cancellationToken).ConfigureAwait(false));
        EnsembleAnswer<TOut>[] answers =
            [.. asked.Zip(results).Where(pair => pair.Second.Succeeded).Select(pair => new EnsembleAnswer<TOut>(pair.First, pair.Second.Value!, WeightOf(pair.First)))];
        if (answers.Length >= options.Quorum)
            return reduce(answers);
        Exception[] causes = [.. results.Where(result => !result.Succeeded).Select(result => result.Error!)];
        throw new HoneException(
            $"{answers.Length} of {results.Count} programs answered and {nameof(EnsembleOptions.Quorum)} is {options.Quorum}. First cause: {causes[0].Message}",
            new AggregateException(causes));
    }

    /// <summary>The members are programs of their own, with models and states of their own: no part of this module's state.</summary>
    protected internal override IEnumerable<KeyValuePair<string, Module>> GetChildren() => [];

    private double WeightOf(int program) => options.Weights.IsDefaultOrEmpty ? 1 : options.Weights[program];

    private static Func<IReadOnlyList<EnsembleAnswer<TOut>>, TOut> Unweighted(Func<IReadOnlyList<TOut>, TOut> reduce)
    {
        ArgumentNullException.ThrowIfNull(reduce);
        return answers => reduce([.. answers.Select(answer => answer.Value)]);
    }

    // Positions of the members that answer an input.
    private int[] Asked(TIn input)
    {
        if (options.Size is not { } size || size == Programs.Count)
            return [.. Enumerable.Range(0, Programs.Count)];
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(ValueText.Of(input)));
        int[] order = [.. Enumerable.Range(0, Programs.Count)];
        new SeedStream(options.Seed).Derive("ensemble", BitConverter.ToInt64(digest)).CreateRandom().Shuffle(order);
        return [.. order.Take(size).Order()];
    }
}

/// <summary>Ways to make one answer of several.</summary>
public static class Ensemble
{
    internal const string Format = "hone.ensemble";

    /// <summary>The answer that most members agree on; the earliest of equally frequent ones.</summary>
    /// <param name="key">What is compared; texts are normalised as <see cref="Majority.NormalizeText"/> does. A null key does not vote unless all are.</param>
    public static Func<IReadOnlyList<TOut>, TOut> MajorityOf<TOut>(Func<TOut, object?> key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return answers => answers[Majority.IndexOf([.. answers.Select(answer => FieldMap.Of(("vote", key(answer))))], "vote")];
    }

    /// <summary>The answer whose members weigh most together; the earliest of equally heavy ones. See <see cref="EnsembleOptions.Weights"/>.</summary>
    /// <param name="key">What is compared, as for <see cref="MajorityOf{TOut}"/>.</param>
    public static Func<IReadOnlyList<EnsembleAnswer<TOut>>, TOut> WeightedMajorityOf<TOut>(Func<TOut, object?> key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return answers =>
        {
            object?[] votes = [.. answers.Select(answer => Majority.NormalizeText(key(answer.Value)))];
            var best = 0;
            var heaviest = double.NegativeInfinity;
            for (var i = 0; i < votes.Length; i++)
            {
                var own = votes[i];
                var weight = own is null ? -1 : answers.Where((_, other) => FieldMap.ValuesEqual(votes[other], own)).Sum(answer => answer.Weight);
                if (weight > heaviest)
                    (best, heaviest) = (i, weight);
            }

            return answers[best].Value;
        };
    }
}
