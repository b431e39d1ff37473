using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Settings of one run.</summary>
public sealed record RunOptions
{
    /// <summary>Options over the model's, under the predictors'.</summary>
    public CallOptions? Options { get; init; }

    /// <summary>Seed of the run; every call derives its own from it. Null sends no seed.</summary>
    public long? Seed { get; init; }

    /// <summary>What happens when an answer cannot be read; null leaves it to the program.</summary>
    public RecoveryPolicy? Recovery { get; init; }

    /// <summary>The model of predictors without one of their own, in this run alone; null leaves it to the program. E.g. <c>lm with { Cache = null }</c>.</summary>
    public LM? Model { get; init; }

    /// <summary>The prompt format of this run; null leaves it to the program.</summary>
    public Adapter? Adapter { get; init; }
}

/// <content>Running: to the value, to the value with its trace, as a stream, many at once.</content>
public sealed partial class Program<TIn, TOut>
{
    // Events wait for the consumer: a slow one slows the run down instead of filling memory.
    private const int EventsAhead = 16;

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

    /// <summary>
    /// Until disposed, the program's modules may be called one by one as they are in a run of it: with its state, its tools' texts, its models and its adapter. For what
    /// a module offers beyond a plain call, e.g. <c>agent.RunAsync(input, history)</c> or <c>predictor.SampleAsync(input, 5)</c>. What they do is in the scope's
    /// <see cref="HoneScope.Trace"/>.
    /// </summary>
    /// <param name="options">Settings of the scope, as those of a run.</param>
    public HoneScope Open(RunOptions? options = null) => OpenScope(options, new TraceRecorder(HoneScope.Current?.Recorder, new TraceWindow(ScopeOptions.DefaultTraceLimit)), null);

    /// <summary>
    /// Runs the program and tells what happens while it happens: pieces of output fields, thoughts, tool calls, status messages, finished calls, and
    /// last <see cref="RunCompleted{TOut}"/>. Leaving the loop early stops the run and its requests.
    /// </summary>
    /// <exception cref="AdapterParseException">A model's answer could not be read and the module did not handle it.</exception>
    public async IAsyncEnumerable<RunEvent> StreamAsync(
        TIn input, RunOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var channel = Channel.CreateBounded<RunEvent>(new BoundedChannelOptions(EventsAhead) { SingleReader = true });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var run = RunIntoAsync(channel.Writer, input, options, stop.Token);
        try
        {
            await foreach (var happened in channel.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
                yield return happened;
            var outcome = await run.ConfigureAwait(false);
            outcome.Error?.Throw();
            yield return new RunCompleted<TOut>(new(outcome.Value!, outcome.Trace));
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await ((Task)run).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Runs the program on many inputs side by side; the results are in input order.</summary>
    /// <param name="inputs">The inputs.</param>
    /// <param name="runner">Parallelism, error budget, time-out of one run, progress.</param>
    /// <param name="options">Settings of every run; each derives its own seed.</param>
    /// <param name="cancellationToken">Stops everything.</param>
    /// <exception cref="BatchStoppedException{T}">More runs failed than the error budget allows.</exception>
    public Task<ItemResult<Prediction<TOut>>[]> RunBatchAsync(
        IReadOnlyList<TIn> inputs, ParallelRunnerOptions? runner = null, RunOptions? options = null, CancellationToken cancellationToken = default) =>
        ParallelRunner.RunAsync(
            inputs,
            (input, index, token) => RunAsync(
                input,
                options?.Seed is { } seed ? options with { Seed = new SeedStream(seed).Derive("batch", index).Seed } : options,
                token),
            runner,
            cancellationToken);

    /// <summary>The messages that a predictor would send for these inputs now, without sending them: the prompt as text.</summary>
    /// <param name="path">The predictor's dotted path; <c>self</c> when the program is a single predictor.</param>
    /// <param name="inputs">Values by input name.</param>
    /// <exception cref="HoneException">There is no such predictor, or an input is missing.</exception>
    public IReadOnlyList<ChatMessage> Render(string path, FieldMap inputs)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        var signature = Predictors.FirstOrDefault(entry => entry.Key == path).Value
            ?? throw new HoneException(
                $"Module {Module.GetType().Name} has no predictor '{path}'. It has: {string.Join(", ", Predictors.Select(entry => entry.Key))}.");
        var state = State[path];
        var model = state.Model is { } name ? NamedModels.GetValueOrDefault(name) : Model;
        var options = model is null ? new() : model.Options.Overlay(state.Options);
        var complete = PredictorInputs.Complete(path, signature, inputs, Logger ?? Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);
        return AdapterPlan.Create(Adapter, new(signature, complete, state.Demos), model?.Capabilities ?? ModelCapabilities.TextOnly, options).Messages;
    }

    /// <summary>Runs the program; an exception of the program is part of the outcome, so that the trace up to it is kept.</summary>
    internal ValueTask<RunOutcome<TOut>> TryRunAsync(TIn input, RunOptions? options, CancellationToken cancellationToken) =>
        TryRunAsync(input, options, null, null, cancellationToken);

    /// <summary>As <see cref="TryRunAsync(TIn, RunOptions?, CancellationToken)"/>, recording in the open: of a run that is cancelled the caller has what was done.</summary>
    internal ValueTask<RunOutcome<TOut>> TryRunAsync(TIn input, RunOptions? options, TraceRecorder recorder, CancellationToken cancellationToken) =>
        TryRunAsync(input, options, null, recorder, cancellationToken);

    // Pooled: every run passes here, and what it needs while it waits is as large as all that a small run leaves behind.
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<RunOutcome<TOut>> TryRunAsync(
        TIn input, RunOptions? options, ChannelWriter<RunEvent>? events, TraceRecorder? recorder, CancellationToken cancellationToken)
    {
        recorder ??= new TraceRecorder(HoneScope.Current?.Recorder);
        using var scope = OpenScope(options, recorder, events);
        try
        {
            var running = Observation.IsOn(scope) ? ObservedAsync(input, cancellationToken) : Module.CallAsync(input, cancellationToken);
            return new(await running.ConfigureAwait(false), null, recorder.Snapshot());
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception error)
        {
            return new(default, ExceptionDispatchInfo.Capture(error), recorder.Snapshot());
        }
    }

    private HoneScope OpenScope(RunOptions? options, TraceRecorder recorder, ChannelWriter<RunEvent>? events) => HoneScope.Open(new(
        options?.Model ?? Model,
        NamedModels,
        options?.Adapter ?? Adapter,
        options?.Recovery ?? Recovery,
        State,
        options?.Options,
        options?.Seed,
        bindings,
        toolBindings,
        banks,
        recorder,
        Time,
        Observers,
        Logger,
        events));

    private Task<TOut> ObservedAsync(TIn input, CancellationToken cancellationToken) =>
        Observation.RunAsync(CallKind.Program, Module.GetType().Name, input, () => Module.CallAsync(input, cancellationToken));

    private async Task<RunOutcome<TOut>> RunIntoAsync(
        ChannelWriter<RunEvent> events, TIn input, RunOptions? options, CancellationToken cancellationToken)
    {
        try
        {
            return await TryRunAsync(input, options, events, null, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            events.Complete();
        }
    }
}

/// <summary>How a run ended: a value or an error, with the trace in either case.</summary>
internal readonly record struct RunOutcome<TOut>(TOut? Value, ExceptionDispatchInfo? Error, Trace Trace);
