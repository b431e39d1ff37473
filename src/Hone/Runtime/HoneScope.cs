using System.Collections.Immutable;
using System.Threading.Channels;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hone;

/// <summary>What a scope changes; null leaves what the surrounding scope says.</summary>
public sealed record ScopeOptions
{
    /// <summary>The model that predictors call.</summary>
    public LM? Model { get; init; }

    /// <summary>Renders prompts and parses answers.</summary>
    public Adapter? Adapter { get; init; }

    /// <summary>What happens when an answer cannot be read.</summary>
    public RecoveryPolicy? Recovery { get; init; }

    /// <summary>Options over the model's, under the predictors'.</summary>
    public CallOptions? Options { get; init; }

    /// <summary>Seed; each call derives its own.</summary>
    public long? Seed { get; init; }

    /// <summary>Watches the scope in addition to those of the surrounding one.</summary>
    public IHoneObserver? Observer { get; init; }

    /// <summary>Where warnings go.</summary>
    public ILogger? Logger { get; init; }

    /// <summary>
    /// How many calls <see cref="HoneScope.Trace"/> keeps, the newest; of older ones only number and cost (<see cref="Trace.Dropped"/>). A run's own trace has no limit.
    /// </summary>
    /// <value>1,000 by default, so that a scope around a whole process does not grow; 0 keeps none. Up to twice as many may be kept for a while.</value>
    public int TraceLimit
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(TraceLimit)); field = value; }
    } = DefaultTraceLimit;

    internal const int DefaultTraceLimit = 1_000;
}

/// <summary>
/// What surrounds a call: model, adapter, state overlay, trace, seed. The only ambient value in Hone; it flows with async calls and is
/// opened by a program, an optimizer or <see cref="Use(LM)"/>. Immutable: an inner scope never changes an outer one.
/// </summary>
public sealed class HoneScope : IDisposable
{
    private static readonly AsyncLocal<HoneScope?> Ambient = new();

    private readonly HoneScope? outer;

    // Everything is inherited; each way of opening a scope then replaces what it says something about.
    private HoneScope(HoneScope? outer)
    {
        this.outer = outer;
        if (outer is null)
            return;
        (Model, Adapter, Recovery, Options, Seed) = (outer.Model, outer.Adapter, outer.Recovery, outer.Options, outer.Seed);
        (State, Models, Bindings, Recorder) = (outer.State, outer.Models, outer.Bindings, outer.Recorder);
        (Tools, Banks, Hints, Samples) = (outer.Tools, outer.Banks, outer.Hints, outer.Samples);
        (Time, Observers, Logger, Events, CallId) = (outer.Time, outer.Observers, outer.Logger, outer.Events, outer.CallId);
        Budget = outer.Budget;
    }

    /// <summary>The innermost open scope, or null.</summary>
    public static HoneScope? Current => Ambient.Value;

    /// <summary>The model that predictors call.</summary>
    public LM? Model { get; private init; }

    /// <summary>Renders prompts and parses answers.</summary>
    public Adapter Adapter { get; private init; } = ChatAdapter.Default;

    /// <summary>What happens when an answer cannot be read.</summary>
    public RecoveryPolicy Recovery { get; private init; } = RecoveryPolicy.Default;

    /// <summary>State laid over the predictors' signatures.</summary>
    public ProgramState State { get; private init; } = ProgramState.Default;

    /// <summary>Options over the model's, under the predictors'.</summary>
    public CallOptions? Options { get; private init; }

    /// <summary>Seed of the run; each call derives its own. Null sends no seed.</summary>
    public long? Seed { get; private init; }

    /// <summary>What the predictors in this scope have done so far, and programs that ran in it.</summary>
    public Trace Trace => Recorder?.Snapshot() ?? Trace.Empty;

    internal IReadOnlyDictionary<string, LM>? Models { get; private init; }

    /// <summary>The predictors of the running program, by reference; null outside of one.</summary>
    internal IReadOnlyDictionary<object, PredictorBinding>? Bindings { get; private init; }

    /// <summary>The tools of the running program with the state's texts, by the module that holds them; null outside of one.</summary>
    internal IReadOnlyDictionary<object, ImmutableArray<ToolBinding>>? Tools { get; private init; }

    /// <summary>The demo banks of the running program, by the module that chooses from them; null when it has none.</summary>
    internal IReadOnlyDictionary<object, DemoBank>? Banks { get; private init; }

    /// <summary>Advice for predictors, by reference: what an earlier attempt should have done otherwise.</summary>
    internal IReadOnlyDictionary<object, string>? Hints { get; private init; }

    /// <summary>The attempt that we are inside, which tells its samples apart from those of others; null outside of one.</summary>
    internal SampleSpread? Samples { get; private init; }

    internal TraceRecorder? Recorder { get; private init; }

    internal TimeProvider Time { get; private init; } = TimeProvider.System;

    internal ImmutableArray<IHoneObserver> Observers { get; private init; } = [];

    internal ILogger Logger { get; private init; } = NullLogger.Instance;

    /// <summary>Where events of a streamed run go; null when nobody streams.</summary>
    internal ChannelWriter<RunEvent>? Events { get; private init; }

    /// <summary>What all calls in the scope may cost, beside their models' own budgets; null without such a limit.</summary>
    internal RunCallTicket? Budget { get; private init; }

    /// <summary>The observed call that we are inside.</summary>
    internal long? CallId { get; private init; }

    /// <summary>Until disposed, predictors outside a program call this client.</summary>
    public static HoneScope Use(IChatClient client) => Use(new LM(client));

    /// <summary>Until disposed, predictors outside a program call this model.</summary>
    public static HoneScope Use(LM model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Use(new ScopeOptions { Model = model });
    }

    /// <summary>
    /// Until disposed, predictors outside a program work as said, and <see cref="Trace"/> collects what they and programs in the scope do.
    /// </summary>
    public static HoneScope Use(ScopeOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var outer = Current;
        var scope = new HoneScope(outer)
        {
            Model = options.Model ?? outer?.Model,
            Adapter = options.Adapter ?? outer?.Adapter ?? ChatAdapter.Default,
            Recovery = options.Recovery ?? outer?.Recovery ?? RecoveryPolicy.Default,
            Options = outer?.Options is { } around ? around.Overlay(options.Options) : options.Options,
            Seed = options.Seed ?? outer?.Seed,
            Observers = Joined(outer, options.Observer is { } observer ? [observer] : []),
            Logger = options.Logger ?? outer?.Logger ?? NullLogger.Instance,
            Recorder = new TraceRecorder(outer?.Recorder, new TraceWindow(options.TraceLimit)),
        };
        return Enter(scope);
    }

    /// <summary>Tells whoever streams the running program how it gets on; without a listener nothing happens.</summary>
    public static ValueTask ReportStatusAsync(string message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        return Current?.Events is { } events ? events.WriteAsync(new StatusMessage(message), cancellationToken) : ValueTask.CompletedTask;
    }

    /// <summary>Restores the surrounding scope.</summary>
    public void Dispose()
    {
        if (ReferenceEquals(Ambient.Value, this))
            Ambient.Value = outer;
    }

    internal static HoneScope Open(ScopeSettings settings)
    {
        var outer = Current;
        return Enter(new(outer)
        {
            Model = settings.Model ?? outer?.Model,
            Models = settings.Models,
            Adapter = settings.Adapter,
            Recovery = settings.Recovery,
            State = settings.State,
            Options = settings.Options,
            Seed = settings.Seed,
            Bindings = settings.Bindings,
            Tools = settings.Tools,
            Banks = settings.Banks,
            Hints = null,
            Samples = null,
            Recorder = settings.Recorder,
            Time = settings.Time,
            Observers = Joined(outer, settings.Observers),
            Logger = settings.Logger ?? outer?.Logger ?? NullLogger.Instance,
            Events = settings.Events,
        });
    }

    /// <summary>The same scope, inside an observed call.</summary>
    internal static HoneScope Inside(long callId) => Enter(new(Current) { CallId = callId });

    /// <summary>The same scope, with other states of its predictors.</summary>
    internal static HoneScope Rebound(IReadOnlyDictionary<object, PredictorBinding> bindings) => Enter(new(Current)
    {
        Bindings = bindings,
        State = bindings.Values.Aggregate(Current?.State ?? ProgramState.Default, (state, binding) => state.With(binding.Path, binding.State)),
    });

    /// <summary>The same scope, with another place for its events.</summary>
    internal static HoneScope WithEvents(ChannelWriter<RunEvent> events) => Enter(new(Current) { Events = events });

    /// <summary>The same scope, whose calls are under a budget; trace and state are the surrounding ones.</summary>
    internal static HoneScope Under(RunCallTicket budget) => Enter(new(Current) { Budget = budget });

    /// <summary>The same scope, with another model for predictors that ask for none by name.</summary>
    internal static HoneScope WithModel(LM model) => Enter(new(Current) { Model = model });

    /// <summary>The same scope for one of several branches of a run, with a recorder and options of its own.</summary>
    internal static HoneScope Branch(
        TraceRecorder recorder,
        ChannelWriter<RunEvent>? events,
        CallOptions? options,
        long? seed,
        IReadOnlyDictionary<object, string>? hints,
        SampleSpread? samples)
    {
        var outer = Current;
        return Enter(new(outer)
        {
            Recorder = recorder,
            Events = events,
            Options = options,
            Seed = seed,
            Hints = Joined(outer?.Hints, hints),
            Samples = samples ?? outer?.Samples,
        });
    }

    private static IReadOnlyDictionary<object, string>? Joined(IReadOnlyDictionary<object, string>? around, IReadOnlyDictionary<object, string>? own)
    {
        if (around is null || own is null)
            return own ?? around;
        var joined = new Dictionary<object, string>(around, ReferenceEqualityComparer.Instance);
        foreach (var (predictor, hint) in own)
            joined[predictor] = hint;
        return joined;
    }

    private static ImmutableArray<IHoneObserver> Joined(HoneScope? outer, ImmutableArray<IHoneObserver> own) =>
        outer is null || outer.Observers.IsEmpty ? own : own.IsEmpty ? outer.Observers : outer.Observers.AddRange(own);

    private static HoneScope Enter(HoneScope scope)
    {
        Ambient.Value = scope;
        return scope;
    }
}

/// <summary>The parts of a program's scope.</summary>
internal readonly record struct ScopeSettings(
    LM? Model,
    IReadOnlyDictionary<string, LM> Models,
    Adapter Adapter,
    RecoveryPolicy Recovery,
    ProgramState State,
    CallOptions? Options,
    long? Seed,
    IReadOnlyDictionary<object, PredictorBinding> Bindings,
    IReadOnlyDictionary<object, ImmutableArray<ToolBinding>> Tools,
    IReadOnlyDictionary<object, DemoBank>? Banks,
    TraceRecorder Recorder,
    TimeProvider Time,
    ImmutableArray<IHoneObserver> Observers,
    ILogger? Logger,
    ChannelWriter<RunEvent>? Events);
