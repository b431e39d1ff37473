using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Hone;

/// <summary>Says that an unreadable answer leads to another request: a warning, an event of the current span, a count.</summary>
internal static partial class RecoveryLog
{
    public static void ReAsk(HoneScope scope, string path, string adapter, AdapterParseException failure)
    {
        LogReAsk(scope.Logger, path, adapter, failure.Reason);
        Mark("re_ask", path, adapter, failure);
    }

    public static void NextAdapter(HoneScope scope, string path, string adapter, AdapterParseException failure)
    {
        LogNextAdapter(scope.Logger, path, failure.Adapter, adapter, failure.Reason);
        Mark("next_adapter", path, adapter, failure);
    }

    private static void Mark(string step, string path, string adapter, AdapterParseException failure)
    {
        HoneDiagnostics.CountRecovery(step, adapter);
        Activity.Current?.AddEvent(new($"hone.{step}", tags: new()
        {
            ["hone.predictor.path"] = path,
            ["hone.adapter"] = adapter,
            ["hone.parse.failure"] = failure.Kind.ToString(),
        }));
    }

    [LoggerMessage(
        EventId = 121, Level = LogLevel.Warning, Message = "Predictor '{Path}': {Adapter} could not read the answer ({Reason}) Asking again with the error.")]
    private static partial void LogReAsk(ILogger logger, string path, string adapter, string reason);

    [LoggerMessage(
        EventId = 122,
        Level = LogLevel.Warning,
        Message = "Predictor '{Path}': {Adapter} could not read the answer ({Reason}) Asking in the format of {NextAdapter}.")]
    private static partial void LogNextAdapter(ILogger logger, string path, string adapter, string nextAdapter, string reason);
}
