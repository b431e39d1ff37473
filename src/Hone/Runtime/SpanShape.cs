using System.Diagnostics;

namespace Hone;

/// <summary>Name and attributes of a span by the kind of work, after the semantic conventions for generative AI where those know the kind.</summary>
internal static class SpanShape
{
    /// <summary>Opens the span of a piece of work; null when nobody listens.</summary>
    /// <param name="kind">What kind of work.</param>
    /// <param name="name">As observers are told it.</param>
    /// <param name="path">The module's path in its program; null where it has none.</param>
    public static Activity? Open(CallKind kind, string name, string? path)
    {
        // A model's own client opens the span of a request: it knows what was sent in the end, retries included.
        if (kind == CallKind.Model || !HoneDiagnostics.Source.HasListeners())
            return null;
        var shown = WithoutArity(name);
        var activity = HoneDiagnostics.Source.StartActivity(OperationOf(kind) is { } operation ? $"{operation} {shown}" : shown);
        if (activity is not { IsAllDataRequested: true })
            return activity;
        activity.SetTag(HoneDiagnostics.OperationName, OperationOf(kind));
        activity.SetTag(NameTagOf(kind), shown);
        if (kind == CallKind.Tool)
            activity.SetTag("gen_ai.tool.type", "function");
        if (path is not null)
            activity.SetTag(HoneDiagnostics.Path, path);
        return activity;
    }

    private static string? OperationOf(CallKind kind) => kind switch
    {
        CallKind.Program => "invoke_workflow",
        CallKind.Agent => "invoke_agent",
        CallKind.Tool => "execute_tool",
        CallKind.Retrieval => "retrieval",
        CallKind.Code => "execute_code",
        CallKind.Evaluation => "evaluate",
        CallKind.Optimization => "optimize",
        _ => null,
    };

    private static string NameTagOf(CallKind kind) => kind switch
    {
        CallKind.Program => "gen_ai.workflow.name",
        CallKind.Agent => "gen_ai.agent.name",
        CallKind.Tool => "gen_ai.tool.name",
        CallKind.Retrieval => "gen_ai.data_source.id",
        CallKind.Code => "hone.language",
        CallKind.Evaluation => "hone.program",
        CallKind.Optimization => "hone.optimizer",
        _ => "hone.module",
    };

    // A type of two parameters is called Name`2.
    private static string WithoutArity(string name) => name.IndexOf('`', StringComparison.Ordinal) is > 0 and var end ? name[..end] : name;
}
