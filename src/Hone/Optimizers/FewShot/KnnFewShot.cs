using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone.Optimizers;

/// <summary>Settings of <see cref="KnnFewShot{TIn,TOut}"/>. Limits of demos hold for each call of the program.</summary>
public sealed record KnnFewShotOptions : BootstrapOptions
{
    /// <summary>How many training examples a call takes into view.</summary>
    /// <value>3 by default.</value>
    public int Nearest
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(Nearest)); field = value; }
    } = 3;

    /// <summary>
    /// True leaves the teacher's runs to the program: the first call that needs an example makes them. They are no part of the run then: neither journaled
    /// nor budgeted. Call <see cref="KnnDemosExtensions.CompleteDemosAsync"/> before saving. False makes them all at once.
    /// </summary>
    public bool OnDemand { get; init; }

    internal override string Describe() => base.Describe() + FormattableString.Invariant($"; nearest={Nearest}; on demand={OnDemand}");
}

/// <summary>
/// Shows each call the demos of those training examples that are most like its input. Every example is run through a teacher once; a call only chooses,
/// at the price of one embedding (DSPy's KNNFewShot). The result's module is a <see cref="KnnDemos{TIn,TOut}"/> around the student's.
/// </summary>
public sealed class KnnFewShot<TIn, TOut> : PromptOptimizer<TIn, TOut>
{
    private readonly IEmbeddingGenerator<string, Embedding<float>> embeddings;
    private readonly KnnFewShotOptions options;
    private readonly Metric<TIn, TOut> metric;

    /// <summary>Creates the optimizer.</summary>
    /// <param name="embeddings">Makes the embeddings, of the examples now and of each input later.</param>
    /// <param name="metric">Accepts runs; null accepts every run that does not fail.</param>
    /// <param name="options">Settings.</param>
    public KnnFewShot(IEmbeddingGenerator<string, Embedding<float>> embeddings, Metric<TIn, TOut>? metric = null, KnnFewShotOptions? options = null)
        : this(embeddings, metric ?? AcceptAll, options ?? new(), default)
    {
    }

    private KnnFewShot(IEmbeddingGenerator<string, Embedding<float>> embeddings, Metric<TIn, TOut> metric, KnnFewShotOptions options, ValueTuple _)
        : base(metric, options)
    {
        ArgumentNullException.ThrowIfNull(embeddings);
        (this.embeddings, this.metric, this.options) = (embeddings, metric, options);
    }

    /// <summary>The program whose runs are harvested, e.g. the same one on a stronger model; the student itself when null.</summary>
    public Program<TIn, TOut>? Teacher { get; init; }

    /// <summary>Decides which runs become demos, e.g. more strictly than the metric that scores; null takes that one.</summary>
    public Metric<TIn, TOut>? Acceptance { get; init; }

    /// <inheritdoc/>
    public override string Name => "knn-few-shot";

    private protected override SelectionWithoutValidation WithoutValidation => SelectionWithoutValidation.None;

    private bool RunsTeacher => options is { OnDemand: false, MaxBootstrappedDemos: > 0 };

    private protected override string Describe() =>
        $"; embeddings={(embeddings.GetService(typeof(EmbeddingGeneratorMetadata)) as EmbeddingGeneratorMetadata)?.DefaultModelId}" + Describe(Teacher);

    private protected override OptimizationEstimate EstimateFor(Program<TIn, TOut> program, int train, int? selection) =>
        new((RunsTeacher ? (long)train * options.MaxRounds : 0) + (2 * (selection ?? 0)), 0, program.Predictors.Length);

    private protected override (LM? Model, long Runs) TeacherRuns(int train) =>
        Teacher is null || !RunsTeacher ? default : (Teacher.Model, (long)train * options.MaxRounds);

    private protected override void Check(Program<TIn, TOut> program)
    {
        TextPart.RefuseDemos(program, Name);
        TeacherCheck.SamePredictors(program, Teacher);
    }

    private protected override async Task SearchAsync(SearchRun<TIn, TOut> search, CancellationToken cancellationToken)
    {
        var bootstrapper = new Bootstrapper<TIn, TOut>(search, options, Teacher, Acceptance);
        var harvested = RunsTeacher ? await bootstrapper.HarvestAllAsync(options.MaxLabeledDemos, cancellationToken).ConfigureAwait(false) : null;
        var bank = await BankAsync(search, bootstrapper.Examples, harvested, cancellationToken).ConfigureAwait(false);
        var student = search.Student.Module is KnnDemos<TIn, TOut> compiled ? compiled.Module : search.Student.Module;
        var module = new KnnDemos<TIn, TOut>(student, embeddings, options.OnDemand ? Source(bootstrapper, bank) : null);
        var state = search.Student.State with { DemoBanks = search.Student.State.DemoBanks.SetItem(ModuleTree.Self, bank) };
        await search.OfferAsync(
            SearchRun<TIn, TOut>.Foreign(search.Student.WithModule(module, state), "student", "demos by nearness"), cancellationToken).ConfigureAwait(false);
    }

    private async Task<DemoBank> BankAsync(
        SearchRun<TIn, TOut> search, IReadOnlyList<FieldMap> examples, ImmutableSortedDictionary<string, Demo>[]? harvested, CancellationToken cancellationToken)
    {
        Signature[] signatures = [.. search.Student.Predictors.Select(entry => entry.Value)];
        FieldMap[] inputs = [.. search.Train.Examples.Select(ExampleFields.InputsOf)];
        var fields = DemoFields.Order(signatures, inputs);
        var vectors = await search.EmbedAsync(embeddings, [.. inputs.Select(input => DemoFields.Text(fields, signatures, input))], cancellationToken).ConfigureAwait(false);
        return new()
        {
            Nearest = options.Nearest,
            MaxBootstrapped = options.MaxBootstrappedDemos,
            MaxLabeled = options.MaxLabeledDemos,
            Fields = fields,
            Examples = [.. examples.Select((example, i) => new BankedExample([.. vectors[i]], Labeled(search.Open, example)) { Harvested = harvested?[i] })],
        };
    }

    private static ImmutableSortedDictionary<string, Demo> Labeled(ImmutableArray<KeyValuePair<string, Signature>> open, FieldMap example) => open.ToImmutableSortedDictionary(
        entry => entry.Key, entry => new Demo(ExampleFields.For(entry.Value, example)), StringComparer.Ordinal);

    // A bank that was loaded in place of this one has examples of its own, which no teacher is known for.
    private DemoHarvest Source(Bootstrapper<TIn, TOut> bootstrapper, DemoBank bank)
    {
        var positions = new Dictionary<BankedExample, int>(ReferenceEqualityComparer.Instance);
        for (var i = 0; i < bank.Examples.Length; i++)
            positions.Add(bank.Examples[i], i);
        return (example, token) => positions.TryGetValue(example, out var index)
            ? bootstrapper.HarvestAsync(index, options.MaxLabeledDemos, metric, token)
            : null;
    }

    private static ValueTask<Score> AcceptAll(Example<TIn, TOut> example, Prediction<TOut> prediction, CancellationToken cancellationToken) =>
        ValueTask.FromResult<Score>(1);
}
