using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Hone;

/// <summary>The events of a run in the form that web pages read.</summary>
public static class ServerSentRunEvents
{
    /// <summary>
    /// The events of a streamed run as server-sent events with JSON in them: <c>delta</c> (path, call, field, text, last), <c>reset</c> (path, call, field: what was shown of
    /// the field does not hold), <c>status</c> (message), <c>thought</c> (path, call, text), <c>tool_call</c> (path, call, id, name, arguments), <c>tool_result</c> (path, call, id,
    /// name, value, is_error), <c>call</c> (path, call, model, tokens, is_cache_hit) and at the end <c>done</c> (value, usage) or, when the run fails, <c>error</c> (code), after
    /// which the exception is thrown.
    /// </summary>
    /// <param name="events">What <c>StreamAsync</c> gives.</param>
    /// <param name="select">
    /// Which events are told. Null tells what people are shown: pieces of fields, resets, status messages and the end; no thoughts, no tools, no calls.
    /// </param>
    /// <param name="cancellationToken">Stops the run.</param>
    public static async IAsyncEnumerable<SseItem<string>> ToServerSentEventsAsync(
        this IAsyncEnumerable<RunEvent> events, Func<RunEvent, bool>? select = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(events);
        select ??= IsForPeople;
        ExceptionDispatchInfo? failure = null;
        var reader = events.GetAsyncEnumerator(cancellationToken);
        await using (reader.ConfigureAwait(false))
        {
            while (true)
            {
                try
                {
                    if (!await reader.MoveNextAsync().ConfigureAwait(false))
                        break;
                }
                catch (Exception error) when (error is not OperationCanceledException)
                {
                    // Told first: a page that only sees its connection end would ask again.
                    failure = ExceptionDispatchInfo.Capture(error);
                    break;
                }

                if (select(reader.Current) && Read(reader.Current) is var (name, data))
                    yield return Item(name, data);
            }
        }

        if (failure is null)
            yield break;
        yield return Item("error", FieldMap.Of(("code", HoneDiagnostics.CodeOf(failure.SourceException))));
        failure.Throw();
    }

    private static bool IsForPeople(RunEvent happened) => happened is FieldDelta or FieldReset or StatusMessage or IRunCompleted;

    private static SseItem<string> Item(string name, FieldMap data) => new(JsonText.Write(data), name);

    private static (string Name, FieldMap Data)? Read(RunEvent happened) => happened switch
    {
        FieldDelta delta => ("delta", Of(delta, ("field", delta.Field), ("text", delta.Text), ("last", delta.IsLast))),
        FieldReset reset => ("reset", Of(reset, ("field", reset.Field))),
        ReasoningDelta thought => ("thought", Of(thought, ("text", thought.Text))),
        StatusMessage status => ("status", FieldMap.Of(("message", status.Message))),
        ToolCallRequested asked => ("tool_call", Of(
            asked, ("id", asked.Request.CallId), ("name", asked.Request.Name), ("arguments", ClrValues.ToCanonical(FieldMap.Create(asked.Request.Arguments ?? new Dictionary<string, object?>()))))),
        ToolCallCompleted told => ("tool_result", Of(
            told, ("id", told.Result.CallId), ("name", told.Result.Name), ("value", ClrValues.ToCanonical(told.Result.Value)), ("is_error", told.Result.IsError))),
        CallCompleted call => ("call", Of(call, ("model", call.Record.Model), ("tokens", call.Record.Usage.TotalTokens), ("is_cache_hit", call.Record.IsCacheHit))),
        IRunCompleted run => ("done", FieldMap.Of(("value", ClrValues.ToCanonical(run.Value)), ("usage", UsageOf(run.Usage)))),
        _ => null,
    };

    private static FieldMap Of(PredictorEvent happened, params ReadOnlySpan<(string Name, object? Value)> fields)
    {
        var data = FieldMap.Of(("path", happened.Path), ("call", (long)happened.Call));
        foreach (var (name, value) in fields)
            data = data.With(name, value);
        return data;
    }

    private static FieldMap UsageOf(Usage usage) =>
        FieldMap.Of(("calls", usage.Calls), ("input_tokens", usage.InputTokens), ("output_tokens", usage.OutputTokens), ("cost", usage.Cost));
}
