using System.Collections.Immutable;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hone;

/// <summary>Runs work so that observers and trace listeners see its start and end. Costs nothing when nobody watches.</summary>
internal static partial class Observation
{
    private static long lastId;

    /// <summary>True when somebody watches the current flow.</summary>
    public static bool IsOn(HoneScope? scope) => scope is { Observers.IsEmpty: false } || HoneDiagnostics.Source.HasListeners();

    /// <summary>Runs the work inside a span named after it, with its start and end told to the scope's observers.</summary>
    /// <param name="kind">What kind of work.</param>
    /// <param name="name">What is at work.</param>
    /// <param name="input">What goes in.</param>
    /// <param name="work">The work.</param>
    /// <param name="path">The module's path in its program; null where it has none.</param>
    /// <param name="further">Observers that the scope does not have: those of a program that is only run inside.</param>
    public static async Task<T> RunAsync<T>(
        CallKind kind, string name, object? input, Func<Task<T>> work, string? path = null, ImmutableArray<IHoneObserver> further = default)
    {
        var scope = HoneScope.Current;
        var (id, parent) = (Interlocked.Increment(ref lastId), scope?.CallId);
        var (observers, logger) = (scope?.Observers ?? [], scope?.Logger ?? NullLogger.Instance);
        if (!further.IsDefaultOrEmpty)
            observers = observers.AddRange(further.Where(observer => !observers.Contains(observer)));
        using var activity = SpanShape.Open(kind, name, path);
        using var inside = scope is null && observers.IsEmpty ? null : HoneScope.Inside(id);
        var time = scope?.Time ?? TimeProvider.System;
        var started = time.GetTimestamp();
        Tell(observers, logger, observer => observer.OnStarted(new(kind, id, parent, name, input)));
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

            // Never the message: it may quote what a model answered or what a tool let slip.
            var code = HoneDiagnostics.CodeOf(exception);
            activity?.SetStatus(ActivityStatusCode.Error, code);
            activity?.SetTag(HoneDiagnostics.ErrorType, code);
            throw;
        }
        finally
        {
            Tell(observers, logger, observer => observer.OnEnded(new(kind, id, parent, name, output, error, time.GetElapsedTime(started))));
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
        Tell(scope.Observers, scope.Logger, observer => observer.OnStarted(new(kind, id, parent, name, input)));
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
            Tell(scope.Observers, scope.Logger, observer => observer.OnEnded(new(kind, id, parent, name, output, error, scope.Time.GetElapsedTime(started))));
        }
    }

    private static void Tell(ImmutableArray<IHoneObserver> observers, ILogger logger, Action<IHoneObserver> tell)
    {
        foreach (var observer in observers)
        {
            try
            {
                tell(observer);
            }
            catch (Exception error)
            {
                LogObserverFailed(logger, observer.GetType().Name, error);
            }
        }
    }

    [LoggerMessage(EventId = 101, Level = LogLevel.Warning, Message = "The observer {Observer} failed; the program goes on.")]
    private static partial void LogObserverFailed(ILogger logger, string observer, Exception error);
}
