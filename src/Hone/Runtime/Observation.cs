using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Hone;

/// <summary>Runs work so that observers and trace listeners see its start and end. Costs nothing when nobody watches.</summary>
internal static partial class Observation
{
    private static long lastId;

    /// <summary>True when somebody watches the current flow.</summary>
    public static bool IsOn(HoneScope? scope) => scope is { Observers.IsEmpty: false } || HoneDiagnostics.Source.HasListeners();

    /// <summary>Runs the work inside a span named after it, with its start and end told to the scope's observers.</summary>
    public static async Task<T> RunAsync<T>(CallKind kind, string name, object? input, Func<Task<T>> work)
    {
        var scope = HoneScope.Current;
        var (id, parent) = (Interlocked.Increment(ref lastId), scope?.CallId);

        // A model's own client opens the span of a request: it knows what was sent in the end, retries included.
        using var activity = kind == CallKind.Model ? null : HoneDiagnostics.Source.StartActivity(SpanName(kind, name));
        using var inside = scope is null ? null : HoneScope.Inside(id);
        var time = scope?.Time ?? TimeProvider.System;
        var started = time.GetTimestamp();
        Tell(scope, observer => observer.OnStarted(new(kind, id, parent, name, input)));
        object? output = null;
        Exception? error = null;
        try
        {
            var result = await work().ConfigureAwait(false);
            output = result;
            return result;
        }
        catch (Exception exception)
        {
            error = exception;
            activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
            activity?.SetTag(HoneDiagnostics.ErrorType, exception.GetType().FullName);
            throw;
        }
        finally
        {
            Tell(scope, observer => observer.OnEnded(new(kind, id, parent, name, output, error, time.GetElapsedTime(started))));
        }
    }

    /// <summary>As <see cref="RunAsync"/>, for work that does not wait.</summary>
    public static T Run<T>(CallKind kind, string name, object? input, Func<T> work)
    {
        var scope = HoneScope.Current;
        if (scope is null || scope.Observers.IsEmpty)
            return work();
        var (id, parent) = (Interlocked.Increment(ref lastId), scope.CallId);
        var started = scope.Time.GetTimestamp();
        Tell(scope, observer => observer.OnStarted(new(kind, id, parent, name, input)));
        object? output = null;
        Exception? error = null;
        try
        {
            var result = work();
            output = result;
            return result;
        }
        catch (Exception exception)
        {
            error = exception;
            throw;
        }
        finally
        {
            Tell(scope, observer => observer.OnEnded(new(kind, id, parent, name, output, error, scope.Time.GetElapsedTime(started))));
        }
    }

    private static string SpanName(CallKind kind, string name) => kind switch
    {
        CallKind.Program => $"invoke_workflow {name}",
        CallKind.Evaluation => $"evaluate {name}",
        CallKind.Optimization => $"optimize {name}",
        CallKind.Tool => $"execute_tool {name}",
        CallKind.Code => $"execute_code {name}",
        _ => name,
    };

    private static void Tell(HoneScope? scope, Action<IHoneObserver> tell)
    {
        if (scope is null)
            return;
        foreach (var observer in scope.Observers)
        {
            try
            {
                tell(observer);
            }
            catch (Exception error)
            {
                LogObserverFailed(scope.Logger, observer.GetType().Name, error);
            }
        }
    }

    [LoggerMessage(EventId = 101, Level = LogLevel.Warning, Message = "The observer {Observer} failed; the program goes on.")]
    private static partial void LogObserverFailed(ILogger logger, string observer, Exception error);
}
