using System.Collections.Immutable;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace Hone;

/// <summary>A module with its state and models: immutable, thread-safe, what optimizers take and return and what is saved.</summary>
public sealed partial class Program<TIn, TOut>
{
    private readonly Dictionary<object, PredictorBinding> bindings;
    private readonly Dictionary<object, ImmutableArray<ToolBinding>> toolBindings;
    private readonly Dictionary<object, DemoBank>? banks;

    /// <summary>Creates a program.</summary>
    /// <param name="module">The code.</param>
    /// <param name="model">The model of every predictor without one of its own; null to add it later.</param>
    /// <param name="state">Instructions, demos and options by path; the declared ones by default.</param>
    /// <exception cref="HoneException">The state names a predictor, a tool or a demo bank that the module does not have, or gives a tool a name that it cannot have.</exception>
    public Program(Module<TIn, TOut> module, LM? model = null, ProgramState? state = null)
    {
        ArgumentNullException.ThrowIfNull(module);
        Module = module;
        Model = model;
        var found = ModuleTree.Find(module);
        (State, NamedModels) = OwnModelBinder.Bind(found, state ?? ProgramState.Default);
        bindings = new(found.Count, ReferenceEqualityComparer.Instance);
        foreach (var (path, predictor, _) in found)
            bindings.Add(predictor, new(path, State[path], State[path].Apply(predictor.Signature)));
        Predictors = [.. found.Select(entry => KeyValuePair.Create(entry.Path, bindings[entry.Predictor].Signature))];
        foreach (var path in State.Predictors.Keys)
        {
            if (!Predictors.Any(entry => entry.Key == path))
                throw new HoneException(
                    $"The state has a predictor '{path}' that module {module.GetType().Name} lacks. It has: {string.Join(", ", Predictors.Select(p => p.Key))}.");
        }

        foreach (var binding in bindings.Values)
            RequireOwnFields(binding.Path, binding.Signature, State[binding.Path]);
        (toolBindings, Tools) = ToolBinder.Bind(module, State);
        banks = DemoBankBinder.Bind(module, State);
    }

    // A demo with a misspelt field would be shown without it, or not at all, and its saved state could not be read.
    private static void RequireOwnFields(string path, Signature signature, PredictorState state)
    {
        for (var i = 0; i < state.Demos.Length; i++)
        {
            foreach (var (name, _) in state.Demos[i].Fields)
            {
                if (signature.Find(name) is null)
                    throw new HoneException($"Predictor '{path}', demo {i} has a value for '{name}', which is no field of {signature.Shape}. Spell it as the signature does, or leave it out.");
            }
        }
    }

    private Program(Program<TIn, TOut> from)
    {
        (Module, Model, State, Predictors, bindings) = (from.Module, from.Model, from.State, from.Predictors, from.bindings);
        (NamedModels, Adapter, Recovery, Time) = (from.NamedModels, from.Adapter, from.Recovery, from.Time);
        (Observers, Logger, Tools, toolBindings, banks) = (from.Observers, from.Logger, from.Tools, from.toolBindings, from.banks);
    }

    /// <summary>The code.</summary>
    public Module<TIn, TOut> Module { get; }

    /// <summary>The default model.</summary>
    public LM? Model { get; private init; }

    /// <summary>Models that predictor states refer to by name, those included that modules bring with them, such as <see cref="RlmOptions.SubModel"/>.</summary>
    public ImmutableDictionary<string, LM> NamedModels { get; private init; }

    /// <summary>Renders prompts and parses answers; the chat format by default.</summary>
    public Adapter Adapter { get; private init; } = ChatAdapter.Default;

    /// <summary>What happens when an answer cannot be read: by default one re-ask that states the error, then the JSON format.</summary>
    public RecoveryPolicy Recovery { get; private init; } = RecoveryPolicy.Default;

    /// <summary>Instructions, demos and options by path.</summary>
    public ProgramState State { get; private init; }

    /// <summary>The predictors in declaration order: path and effective signature.</summary>
    public ImmutableArray<KeyValuePair<string, Signature>> Predictors { get; }

    /// <summary>
    /// The tools of the program's agents in declaration order: path, and the tool as models are shown it, with the texts of the state. The keys are those
    /// of <see cref="ProgramState.Tools"/>.
    /// </summary>
    public ImmutableArray<KeyValuePair<string, AIFunction>> Tools { get; }

    internal TimeProvider Time { get; private init; } = TimeProvider.System;

    internal ImmutableArray<IHoneObserver> Observers { get; private init; } = [];

    internal ILogger? Logger { get; private init; }

    /// <summary>The same module and models under another state. Cheap; nothing is copied.</summary>
    public Program<TIn, TOut> With(ProgramState state) => WithModule(Module, state);

    /// <summary>Another module on the same models under another state.</summary>
    internal Program<TIn, TOut> WithModule(Module<TIn, TOut> module, ProgramState state) => new(module, Model, state)
    {
        NamedModels = ReferenceEquals(module, Module) ? NamedModels : OwnModelBinder.Bind(ModuleTree.Find(module), state).Models.SetItems(NamedModels),
        Adapter = Adapter,
        Recovery = Recovery,
        Time = Time,
        Observers = Observers,
        Logger = Logger,
    };

    /// <summary>The same program on another model.</summary>
    public Program<TIn, TOut> WithModel(LM model) => new(this) { Model = model };

    /// <summary>The same program with a further model that predictor states may name.</summary>
    public Program<TIn, TOut> WithNamedModel(string name, LM model) => new(this) { NamedModels = NamedModels.SetItem(name, model) };

    /// <summary>The same program under another prompt format.</summary>
    public Program<TIn, TOut> WithAdapter(Adapter adapter) => new(this) { Adapter = adapter };

    /// <summary>The same program under another rule for answers that cannot be read.</summary>
    public Program<TIn, TOut> WithRecovery(RecoveryPolicy recovery) => new(this) { Recovery = recovery };

    /// <summary>The same program, watched.</summary>
    public Program<TIn, TOut> WithObserver(IHoneObserver observer) => new(this) { Observers = Observers.Add(observer) };

    /// <summary>The same program with a place for its warnings.</summary>
    public Program<TIn, TOut> WithLogger(ILogger logger) => new(this) { Logger = logger };

    /// <summary>The predictors, a line each: path and effective signature.</summary>
    public override string ToString() => string.Join('\n', Predictors.Select(entry => $"{entry.Key} = {entry.Value}"));

    internal Program<TIn, TOut> WithTime(TimeProvider time) => new(this) { Time = time };
}

/// <summary>Turns modules into programs.</summary>
public static class ModuleExtensions
{
    /// <summary>The module as a program on a model.</summary>
    public static Program<TIn, TOut> WithModel<TIn, TOut>(this Module<TIn, TOut> module, LM model) => new(module, model);

    /// <summary>The module as a program on a client.</summary>
    public static Program<TIn, TOut> WithModel<TIn, TOut>(this Module<TIn, TOut> module, IChatClient client) => new(module, new LM(client));
}
