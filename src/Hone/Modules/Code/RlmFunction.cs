using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>A function that a run gives its code. Nothing stands between it and the code, so that what must end the run can.</summary>
internal sealed class RlmFunction(string name, string description, string schema, Func<AIFunctionArguments, CancellationToken, Task<object?>> body) : AIFunction
{
    public const string Query = "llm_query";
    public const string QueryBatched = "llm_query_batched";
    public const string Run = "rlm_query";
    public const string RunBatched = "rlm_query_batched";

    /// <summary>Names that no tool and no input may take.</summary>
    public static readonly string[] Names = [Query, QueryBatched, Run, RunBatched];

    private readonly JsonElement schema = JsonElement.Parse(schema);

    public override string Name => name;

    public override string Description => description;

    public override JsonElement JsonSchema => schema;

    /// <summary>The text of an argument.</summary>
    /// <exception cref="CodeException">It is none, or empty.</exception>
    public static string Text(string function, object? value)
    {
        var text = value is JsonElement { ValueKind: JsonValueKind.String } json ? json.GetString() : null;
        return string.IsNullOrWhiteSpace(text) ? throw Failed($"`{function}` takes text, and it may not be empty.") : text;
    }

    /// <summary>The texts of an argument.</summary>
    /// <exception cref="CodeException">It is no list of texts, or one is empty.</exception>
    public static string[] Texts(string function, object? value) => value is JsonElement { ValueKind: JsonValueKind.Array } list
        ? [.. list.EnumerateArray().Select(item => Text(function, item))]
        : throw Failed($"`{function}` takes a list of texts.");

    public static CodeException Failed(string what) => new(CodeErrorKind.Runtime, "ToolError", what);

    protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken) =>
        await body(arguments, cancellationToken).ConfigureAwait(false);
}
