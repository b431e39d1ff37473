using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Runs a teacher on an example that a bank has no harvest of; null when the example is none that it knows.</summary>
internal delegate Task<ImmutableSortedDictionary<string, Demo>>? DemoHarvest(BankedExample example, CancellationToken cancellationToken);

/// <summary>
/// Runs a module whose predictors are shown, at each call, the demos of those training examples that are most like its input. The examples are a
/// <see cref="DemoBank"/> in the state of the program: <c>KnnFewShot</c> makes it, and it is saved and loaded with the program. The paths of the module's
/// predictors and tools are what they are without this one around it.
/// </summary>
/// <typeparam name="TIn">What goes in.</typeparam>
/// <typeparam name="TOut">What comes out.</typeparam>
public sealed class KnnDemos<TIn, TOut> : Module<TIn, TOut>, IDemoBankModule, ITransparentModule
{
    private readonly IEmbeddingGenerator<string, Embedding<float>> embeddings;
    private readonly ImmutableArray<KeyValuePair<string, Predictor>> predictors;
    private readonly ConcurrentDictionary<BankedExample, Harvest> harvests = new(ReferenceEqualityComparer.Instance);
    private readonly DemoHarvest? source;

    /// <summary>Creates the module, for a program that a saved state is loaded into.</summary>
    /// <param name="module">What is run.</param>
    /// <param name="embeddings">Makes the embedding of each input: the model that made those of the bank.</param>
    public KnnDemos(Module<TIn, TOut> module, IEmbeddingGenerator<string, Embedding<float>> embeddings) : this(module, embeddings, null)
    {
    }

    internal KnnDemos(Module<TIn, TOut> module, IEmbeddingGenerator<string, Embedding<float>> embeddings, DemoHarvest? source)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(embeddings);
        (Module, this.embeddings, this.source) = (module, embeddings, source);
        predictors = [.. ModuleTree.Collect(module)];
    }

    /// <summary>What is run.</summary>
    public Module<TIn, TOut> Module { get; }

    Module ITransparentModule.Inner => Module;

    /// <inheritdoc/>
    protected internal override IEnumerable<KeyValuePair<string, Module>> GetChildren() => [new("module", Module)];

    /// <inheritdoc/>
    /// <exception cref="HoneException">The program has no demo bank for this module, or the embedding does not fit the bank's.</exception>
    protected override async Task<TOut> ForwardAsync(TIn input, CancellationToken cancellationToken)
    {
        if (HoneScope.Current?.Banks?.GetValueOrDefault(this) is not { } bank)
            throw new HoneException(
                $"{nameof(KnnDemos<,>)} around {Module.GetType().Name} has no demo bank: there is nothing to choose demos from. "
                + "Take the program that KnnFewShot.CompileAsync returns, or load a state that was saved from it.");
        var nearest = await NearestAsync(bank, input, cancellationToken).ConfigureAwait(false);
        var harvested = await HarvestAsync(bank, nearest, cancellationToken).ConfigureAwait(false);
        using var scope = HoneScope.Rebound(Bindings(HoneScope.Current!, bank, nearest, harvested));
        return await Module.CallAsync(input, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The bank with what is missing of it harvested.</summary>
    internal async Task<DemoBank> CompleteAsync(DemoBank bank, CancellationToken cancellationToken)
    {
        if (bank.MaxBootstrapped == 0)
            return bank;
        var results = await ParallelRunner.RunAsync(
            bank.Examples, (example, _, token) => HarvestAsync(example, token), new() { MaxErrors = 0 }, cancellationToken).ConfigureAwait(false);
        return bank with { Examples = [.. bank.Examples.Zip(results, (example, result) => example with { Harvested = result.Value })] };
    }

    private async Task<BankedExample[]> NearestAsync(DemoBank bank, TIn input, CancellationToken cancellationToken)
    {
        var text = DemoFields.Text(bank.Fields, predictors.Select(entry => entry.Value.Signature), TypedSignature.InputsOf(input));
        if (text.Length == 0)
            throw new HoneException($"The input has none of the fields that demos are chosen by: {string.Join(", ", bank.Fields)}. Pass at least one of them.");
        var query = (await Knn.EmbedAsync(embeddings, [text], cancellationToken).ConfigureAwait(false))[0];
        if (bank.Examples.FirstOrDefault(example => example.Vector.Length != query.Length) is { } other)
            throw new HoneException(
                $"The embedding of the input has {query.Length} dimensions, those of the demo bank have {other.Vector.Length}. Use the embedding model that the bank was made with.");
        return
        [
            .. bank.Examples.Select((example, index) => (Similarity: Knn.Dot(example.Vector.AsSpan(), query), index))
                .OrderByDescending(each => each.Similarity).ThenBy(each => each.index)
                .Take(bank.Nearest).Select(each => bank.Examples[each.index]),
        ];
    }

    // From the nearest on, until there are enough: what is not looked at is not run.
    private async Task<ImmutableSortedDictionary<string, Demo>?[]> HarvestAsync(DemoBank bank, BankedExample[] nearest, CancellationToken cancellationToken)
    {
        var found = new ImmutableSortedDictionary<string, Demo>?[nearest.Length];
        var wanted = bank.MaxBootstrapped;
        for (var i = 0; i < nearest.Length && wanted > 0; i++)
        {
            found[i] = await HarvestAsync(nearest[i], cancellationToken).ConfigureAwait(false);
            wanted -= found[i] is { IsEmpty: false } ? 1 : 0;
        }

        return found;
    }

    // Once an example, whoever asks first; a run that was cut off by an outage or a cancellation is made again.
    private async Task<ImmutableSortedDictionary<string, Demo>?> HarvestAsync(BankedExample example, CancellationToken cancellationToken)
    {
        if (example.Harvested is not null || source is null)
            return example.Harvested;
        var harvest = harvests.GetOrAdd(example, _ => new());
        await harvest.Gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (harvest.Demos is null && source(example, cancellationToken) is { } running)
                harvest.Demos = await running.ConfigureAwait(false);
            return harvest.Demos;
        }
        finally
        {
            harvest.Gate.Release();
        }
    }

    private Dictionary<object, PredictorBinding> Bindings(
        HoneScope scope, DemoBank bank, BankedExample[] nearest, ImmutableSortedDictionary<string, Demo>?[] harvested)
    {
        var bindings = new Dictionary<object, PredictorBinding>(scope.Bindings!, ReferenceEqualityComparer.Instance);
        foreach (var (path, predictor) in predictors)
        {
            Demo[] bootstrapped = [.. harvested.Select(demos => demos?.GetValueOrDefault(path)).OfType<Demo>()];
            var labeled = nearest.Where((_, i) => harvested[i] is null or { IsEmpty: true })
                .Select(example => example.Labeled.GetValueOrDefault(path)).OfType<Demo>().Take(Math.Max(0, bank.MaxLabeled - bootstrapped.Length));
            var binding = bindings[predictor];
            bindings[predictor] = binding with { State = binding.State with { Demos = [.. binding.State.Demos, .. bootstrapped, .. labeled] } };
        }

        return bindings;
    }

    private sealed class Harvest
    {
        // Without a wait handle there is nothing to dispose of.
        public SemaphoreSlim Gate { get; } = new(1, 1);

        public ImmutableSortedDictionary<string, Demo>? Demos { get; set; }
    }
}

/// <summary>Prepares programs with demo banks for saving.</summary>
public static class KnnDemosExtensions
{
    /// <summary>
    /// The program with everything in its state that its calls would still have to harvest: what <c>KnnFewShot</c> left for later is done now, what calls
    /// have done already is taken over. Save this one: a loaded program has no teacher.
    /// </summary>
    /// <param name="program">A program whose module is <see cref="KnnDemos{TIn,TOut}"/>.</param>
    /// <param name="cancellationToken">Stops the teacher.</param>
    /// <exception cref="HoneException">The module is another one, or it has no bank.</exception>
    public static async Task<Program<TIn, TOut>> CompleteDemosAsync<TIn, TOut>(this Program<TIn, TOut> program, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(program);
        if (program.Module is not KnnDemos<TIn, TOut> module || !program.State.DemoBanks.TryGetValue(ModuleTree.Self, out var bank))
            throw new HoneException($"Module {program.Module.GetType().Name} is no {nameof(KnnDemos<,>)} with a demo bank. Pass the program that KnnFewShot.CompileAsync returned.");
        var complete = await module.CompleteAsync(bank, cancellationToken).ConfigureAwait(false);
        return program.With(program.State with { DemoBanks = program.State.DemoBanks.SetItem(ModuleTree.Self, complete) });
    }
}
