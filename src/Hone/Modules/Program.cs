using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Settings of one run.</summary>
public sealed record RunOptions
{
    /// <summary>Options over the model's, under the predictors'.</summary>
    public CallOptions? Options { get; init; }

    /// <summary>Seed of the run; every call derives its own from it. Null sends no seed.</summary>
    public long? Seed { get; init; }
}

/// <summary>A module with its state and models: immutable, thread-safe, what optimizers take and return and what is saved.</summary>
public sealed class Program<TIn, TOut>
{
    private readonly ImmutableDictionary<object, string> paths;

    /// <summary>Creates a program.</summary>
    /// <param name="module">The code.</param>
    /// <param name="model">The model of every predictor without one of its own; null to add it later.</param>
    /// <param name="state">Instructions, demos and options by path; the declared ones by default.</param>
    /// <exception cref="HoneException">The state names a predictor that the module does not have.</exception>
    public Program(Module<TIn, TOut> module, LM? model = null, ProgramState? state = null)
    {
        ArgumentNullException.ThrowIfNull(module);
        Module = module;
        Model = model;
        State = state ?? ProgramState.Default;
        var found = ModuleTree.Collect(module);
        Predictors = [.. found.Select(entry => new KeyValuePair<string, Signature>(entry.Key, State[entry.Key].Apply(entry.Value.Signature)))];
        paths = found.ToImmutableDictionary(entry => (object)entry.Value, entry => entry.Key, ReferenceEqualityComparer.Instance);
        foreach (var path in State.Predictors.Keys)
        {
            if (!Predictors.Any(entry => entry.Key == path))
                throw new HoneException(
                    $"The state has a predictor '{path}' that module {module.GetType().Name} lacks. It has: {string.Join(", ", Predictors.Select(p => p.Key))}.");
        }
    }

    private Program(Program<TIn, TOut> from)
    {
        (Module, Model, State, Predictors, paths) = (from.Module, from.Model, from.State, from.Predictors, from.paths);
        (NamedModels, Adapter, Time) = (from.NamedModels, from.Adapter, from.Time);
    }

    /// <summary>The code.</summary>
    public Module<TIn, TOut> Module { get; }

    /// <summary>The default model.</summary>
    public LM? Model { get; private init; }

    /// <summary>Models that predictor states refer to by name.</summary>
    public ImmutableDictionary<string, LM> NamedModels { get; private init; } = ImmutableDictionary<string, LM>.Empty;

    /// <summary>Renders prompts and parses answers; the chat format by default.</summary>
    public Adapter Adapter { get; private init; } = ChatAdapter.Default;

    /// <summary>Instructions, demos and options by path.</summary>
    public ProgramState State { get; }

    /// <summary>The predictors in declaration order: path and effective signature.</summary>
    public ImmutableArray<KeyValuePair<string, Signature>> Predictors { get; }

    internal TimeProvider Time { get; private init; } = TimeProvider.System;

    /// <summary>The same module and models under another state. Cheap; nothing is copied.</summary>
    public Program<TIn, TOut> With(ProgramState state) => new(Module, Model, state) { NamedModels = NamedModels, Adapter = Adapter, Time = Time };

    /// <summary>The same program on another model.</summary>
    public Program<TIn, TOut> WithModel(LM model) => new(this) { Model = model };

    /// <summary>The same program with a further model that predictor states may name.</summary>
    public Program<TIn, TOut> WithNamedModel(string name, LM model) => new(this) { NamedModels = NamedModels.SetItem(name, model) };

    /// <summary>The same program under another prompt format.</summary>
    public Program<TIn, TOut> WithAdapter(Adapter adapter) => new(this) { Adapter = adapter };

    internal Program<TIn, TOut> WithTime(TimeProvider time) => new(this) { Time = time };

    /// <summary>Runs the program and returns its value.</summary>
    public async Task<TOut> CallAsync(TIn input, CancellationToken cancellationToken = default) =>
        (await RunAsync(input, null, cancellationToken).ConfigureAwait(false)).Value;

    /// <summary>Runs the program and returns its value with the trace.</summary>
    /// <exception cref="AdapterParseException">A model's answer could not be read and the module did not handle it.</exception>
    public async Task<Prediction<TOut>> RunAsync(TIn input, RunOptions? options = null, CancellationToken cancellationToken = default)
    {
        var outcome = await TryRunAsync(input, options, cancellationToken).ConfigureAwait(false);
        outcome.Error?.Throw();
        return new(outcome.Value!, outcome.Trace);
    }

    /// <summary>Runs the program; an exception of the program is part of the outcome, so that the trace up to it is kept.</summary>
    internal async Task<RunOutcome<TOut>> TryRunAsync(TIn input, RunOptions? options, CancellationToken cancellationToken)
    {
        var recorder = new TraceRecorder();
        using var scope = HoneScope.Open(new(Model, NamedModels, Adapter, State, options?.Options, options?.Seed, paths, recorder, Time));
        try
        {
            var value = await Module.CallAsync(input, cancellationToken).ConfigureAwait(false);
            return new(value, null, recorder.Snapshot());
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception error)
        {
            return new(default, System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(error), recorder.Snapshot());
        }
    }
}

/// <summary>How a run ended: a value or an error, with the trace in either case.</summary>
internal readonly record struct RunOutcome<TOut>(TOut? Value, System.Runtime.ExceptionServices.ExceptionDispatchInfo? Error, Trace Trace);

/// <summary>Turns modules into programs.</summary>
public static class ModuleExtensions
{
    /// <summary>The module as a program on a model.</summary>
    public static Program<TIn, TOut> WithModel<TIn, TOut>(this Module<TIn, TOut> module, LM model) => new(module, model);

    /// <summary>The module as a program on a client.</summary>
    public static Program<TIn, TOut> WithModel<TIn, TOut>(this Module<TIn, TOut> module, IChatClient client) => new(module, new LM(client));
}
