using Microsoft.Extensions.AI;
using ModelContextProtocol;

namespace Hone.Mcp;

/// <summary>A tool whose errors reach the client: servers keep those of other kinds to themselves.</summary>
internal sealed class SpeakingTool(AIFunction tool) : DelegatingAIFunction(tool)
{
    protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        try
        {
            return await base.InvokeCoreAsync(arguments, cancellationToken).ConfigureAwait(false);
        }
        catch (HoneException error)
        {
            throw new McpException(error.Message, error);
        }
    }
}
