using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>A tool as code calls it: observed, checked, timed and approved as an agent's tools are.</summary>
internal sealed class ToolInCode(AIFunction tool, CodeActOptions options) : DelegatingAIFunction(tool)
{
    private readonly ToolRunner runner = new(
        ImmutableArray.Create(tool), new() { ToolTimeout = options.ToolTimeout, ApproveAsync = options.ApproveAsync, Services = options.Services }, null);

    protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        var given = FieldMap.Create(arguments.Select(argument => KeyValuePair.Create(argument.Key, ClrValues.ToCanonical(argument.Value))));
        var results = await runner.RunAsync([new ToolCall(Name, given)], cancellationToken).ConfigureAwait(false);
        return results[0] is { IsError: true } failed
            ? throw new CodeException(CodeErrorKind.Runtime, "ToolError", failed.Value as string ?? CodeValues.ToJson(failed.Value))
            : results[0].Value;
    }
}
