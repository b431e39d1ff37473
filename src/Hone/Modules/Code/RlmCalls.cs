using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>
/// The calls of models that code makes in a run. What goes wrong with one is told to the code; what must end the run, such as a budget that is spent or a key
/// that is refused, stops the code and is thrown behind it.
/// </summary>
internal sealed class RlmCalls : IDisposable
{
    // A run inside a run takes at least a step and the call that draws its outputs.
    private const int LeastOfRun = 2;
    private const int ReasonsShown = 3;

    private readonly RlmCore core;
    private readonly CallQuota quota;
    private readonly CancellationTokenSource stop;
    private readonly ConcurrentQueue<string> notes = [];
    private ExceptionDispatchInfo? fatal;

    public RlmCalls(RlmCore core, CallQuota quota, CancellationToken cancellationToken)
    {
        (this.core, this.quota) = (core, quota);
        stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Functions = [.. core.Asks ? Asking() : [], .. core.Inner is null ? [] : Recursing()];
    }

    /// <summary>What the code can call.</summary>
    public ImmutableArray<AIFunction> Functions { get; }

    public void Dispose() => stop.Dispose();

    /// <summary>Runs code that may call the functions.</summary>
    public async Task<T> GuardAsync<T>(Func<CancellationToken, Task<T>> run, CancellationToken cancellationToken)
    {
        try
        {
            return await run(stop.Token).ConfigureAwait(false);
        }
        catch (Exception) when (Volatile.Read(ref fatal) is not null && !cancellationToken.IsCancellationRequested)
        {
            fatal!.Throw();
            throw;
        }
    }

    /// <summary>What is to be said of the calls of the last piece of code.</summary>
    public IEnumerable<string> TakeNotes()
    {
        while (notes.TryDequeue(out var note))
            yield return note;
    }

    private RlmFunction[] Asking() =>
    [
        new(
            RlmFunction.Query,
            "Asks a model, which sees the prompt and nothing else; gives its answer as text.",
            """{"type": "object", "properties": {"prompt": {"type": "string"}}, "required": ["prompt"], "additionalProperties": false}""",
            QueryAsync),
        new(
            RlmFunction.QueryBatched,
            "Asks all the prompts side by side; gives the answers in the order of the prompts, and an empty value (null, None) for one that failed.",
            """{"type": "object", "properties": {"prompts": {"type": "array", "items": {"type": "string"}}}, "required": ["prompts"], "additionalProperties": false}""",
            QueryBatchedAsync),
    ];

    private RlmFunction[] Recursing() =>
    [
        new(
            RlmFunction.Run,
            "Lets a model work on a part of the data with code of its own, as you do; gives its answer as text. It takes several model calls.",
            """{"type": "object", "properties": {"query": {"type": "string"}, "context": {"description": "the data: text, a list, a dictionary"}}, "required": ["query", "context"], "additionalProperties": false}""",
            RecurseAsync),
        new(
            RlmFunction.RunBatched,
            "The same for several, side by side; gives the answers in their order, and an empty value for one that failed. What is left of the model calls is dealt out evenly.",
            """{"type": "object", "properties": {"queries": {"type": "array", "items": {"type": "string"}}, "contexts": {"type": "array", "items": {}}}, "required": ["queries", "contexts"], "additionalProperties": false}""",
            RecurseBatchedAsync),
    ];

    private async Task<object?> QueryAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        var prompt = RlmFunction.Text(RlmFunction.Query, arguments["prompt"]);
        Take(RlmFunction.Query, 1);
        return await OneAsync(RlmFunction.Query, () => AnswerAsync(prompt, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    private async Task<object?> QueryBatchedAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        var prompts = RlmFunction.Texts(RlmFunction.QueryBatched, arguments["prompts"]);
        Take(RlmFunction.QueryBatched, prompts.Length);
        return await ManyAsync(RlmFunction.QueryBatched, prompts, AnswerAsync, cancellationToken).ConfigureAwait(false);
    }

    private async Task<object?> RecurseAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        var inputs = InputsOf(RlmFunction.Text(RlmFunction.Run, arguments["query"]), arguments["context"]);
        if (quota.Left < LeastOfRun)
            throw Spent(RlmFunction.Run, LeastOfRun);
        return await OneAsync(RlmFunction.Run, () => RunAsync(inputs, quota, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    private async Task<object?> RecurseBatchedAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        var queries = RlmFunction.Texts(RlmFunction.RunBatched, arguments["queries"]);
        var contexts = arguments["contexts"] is JsonElement { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray().ToArray() : [];
        if (contexts.Length != queries.Length)
            throw RlmFunction.Failed($"`{RlmFunction.RunBatched}` takes two lists of one length: {queries.Length} queries came with {contexts.Length} contexts.");
        if (queries.Length == 0)
            return ClrValues.List([]);
        var shares = quota.Split(queries.Length, LeastOfRun) ?? throw Spent(RlmFunction.RunBatched, LeastOfRun * queries.Length);
        try
        {
            var runs = queries.Select((query, index) => (Inputs: InputsOf(query, contexts[index]), Quota: shares[index])).ToArray();
            return await ManyAsync(RlmFunction.RunBatched, runs, (run, token) => RunAsync(run.Inputs, run.Quota, token), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            quota.Join(shares);
        }
    }

    private async Task<string?> AnswerAsync(string prompt, CancellationToken cancellationToken)
    {
        using var scope = SubScope();
        var outputs = await core.Query.CallAsync(FieldMap.Of((RlmCore.Prompt, prompt)), cancellationToken).ConfigureAwait(false);
        return outputs[RlmCore.Answer] as string;
    }

    private async Task<string?> RunAsync(FieldMap inputs, CallQuota share, CancellationToken cancellationToken)
    {
        using var scope = SubScope();
        var outcome = await core.Inner!.RunInsideAsync(inputs, share, cancellationToken).ConfigureAwait(false);
        return outcome.Outputs[RlmCore.Answer] as string;
    }

    private HoneScope? SubScope() => core.Options.SubModel is { } model ? HoneScope.WithModel(model) : null;

    private async Task<string?> OneAsync(string function, Func<Task<string?>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await EndingAsync(call, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (IsForTheCode(error))
        {
            throw RlmFunction.Failed($"`{function}` gave no answer: {Told(error)}");
        }
    }

    // Each in a branch of its own: ordinals, seeds and the trace are in the order of the items.
    private async Task<object?> ManyAsync<T>(string function, T[] items, Func<T, CancellationToken, Task<string?>> call, CancellationToken cancellationToken)
    {
        var results = await ParallelBranches.RunAsync(
            items,
            (item, token) => EndingAsync(() => call(item, token), token),
            new() { MaxParallelism = core.Options.MaxParallelCalls, MaxErrors = items.Length },
            cancellationToken).ConfigureAwait(false);
        var failed = results.Where(result => !result.Succeeded).Select(result => Told(result.Error!)).ToArray();
        if (failed.Length > 0)
        {
            var reasons = string.Join(" ", failed.Distinct().Take(ReasonsShown));
            if (failed.Length == items.Length)
                throw RlmFunction.Failed($"`{function}` gave no answer: {reasons}");
            notes.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{failed.Length} of {items.Length} items of `{function}` gave no answer: {reasons}"));
        }

        return ClrValues.List([.. results.Select(result => (object?)result.Value)]);
    }

    private async Task<string?> EndingAsync(Func<Task<string?>> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call().ConfigureAwait(false);
        }
        catch (Exception error) when (!IsForTheCode(error) && !(error is OperationCanceledException && cancellationToken.IsCancellationRequested))
        {
            Interlocked.CompareExchange(ref fatal, ExceptionDispatchInfo.Capture(error), null);
            await stop.CancelAsync().ConfigureAwait(false);
            throw new OperationCanceledException(error.Message, error, stop.Token);
        }
    }

    private void Take(string function, int count)
    {
        if (!quota.TryTake(count))
            throw Spent(function, count);
    }

    private CodeException Spent(string function, int count) => RlmFunction.Failed(string.Create(
        CultureInfo.InvariantCulture,
        $"`{function}` was not called: {count} more model calls do not fit, {quota.Left} of {quota.Limit} are left. Put more into one prompt, or do it by code."));

    // A model that does not answer one prompt may answer another; settings and accounts are not mended by code.
    private static bool IsForTheCode(Exception error) =>
        error is CodeException or AdapterParseException or (LMException and not (LMConfigurationException or LMAuthException or LMBillingException));

    private static string Told(Exception error) => error is CodeException own ? own.Description : SecretText.Scrub(error.Message);

    private static FieldMap InputsOf(string query, object? context) =>
        FieldMap.Of((RlmCore.InnerQuery, query), (RlmCore.InnerContext, context is JsonElement json ? CodeValues.FromJson(json) : context));
}
