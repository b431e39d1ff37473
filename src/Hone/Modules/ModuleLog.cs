using Microsoft.Extensions.Logging;

namespace Hone;

/// <summary>What a module does when its work did not end as it should: one warning, with the module's path and the reason.</summary>
internal static partial class ModuleLog
{
    /// <summary>The steps of a module are used up, or it could not go on.</summary>
    public static void Stopped(HoneScope? scope, string module, string? path, int steps, string reason)
    {
        if (scope is not null)
            LogStopped(scope.Logger, module, path ?? ModuleTree.Self, steps, reason);
    }

    /// <summary>There is no advice for the next attempt.</summary>
    public static void NoAdvice(HoneScope? scope, Exception error)
    {
        if (scope is not null)
            LogNoAdvice(scope.Logger, HoneDiagnostics.CodeOf(error));
    }

    [LoggerMessage(EventId = 141, Level = LogLevel.Warning, Message = "{Module} '{Path}' stopped without an end of its own after {Steps} steps: {Reason}.")]
    private static partial void LogStopped(ILogger logger, string module, string path, int steps, string reason);

    [LoggerMessage(EventId = 142, Level = LogLevel.Warning, Message = "Refine: the advisor gave no advice ({Reason}). The next attempt is made with what there was before.")]
    private static partial void LogNoAdvice(ILogger logger, string reason);
}
