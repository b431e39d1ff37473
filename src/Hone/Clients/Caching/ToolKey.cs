using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>What a tool's declaration adds to a request's key. The code behind it adds nothing: the model does not see it.</summary>
internal static class ToolKey
{
    /// <summary>Adds a tool; gives the reason when it has no stable form.</summary>
    public static string? Add(ref KeyBuffer buffer, AITool tool)
    {
        buffer.Tag('U');
        buffer.Text(tool.Name);
        buffer.Text(tool.Description);
        string? reason = null;
        switch (tool)
        {
            case AIFunctionDeclaration function:
                buffer.Json(function.JsonSchema);
                if (function.ReturnJsonSchema is { } result)
                {
                    buffer.Tag('o');
                    buffer.Json(result);
                }

                break;
            case HostedWebSearchTool:
                buffer.Tag('w');
                break;
            case HostedCodeInterpreterTool interpreter:
                buffer.Tag('i');
                reason = AddInputs(ref buffer, interpreter.Inputs);
                break;
            case HostedFileSearchTool search:
                buffer.Tag('s');
                buffer.Optional('m', search.MaximumResultCount);
                reason = AddInputs(ref buffer, search.Inputs);
                break;
            case HostedMcpServerTool server:
                AddServer(ref buffer, server);
                break;
            default:
                return $"the tool '{tool.Name}' is a {tool.GetType().Name}, whose settings are not known";
        }

        return reason ?? (RequestKey.AddProperties(ref buffer, tool.AdditionalProperties) ? null : $"the tool '{tool.Name}' has a property without a stable form");
    }

    private static string? AddInputs(ref KeyBuffer buffer, IList<AIContent>? inputs)
    {
        foreach (var input in inputs ?? [])
        {
            if (ContentKey.Add(ref buffer, input) is { } reason)
                return reason;
        }

        return null;
    }

    private static void AddServer(ref KeyBuffer buffer, HostedMcpServerTool server)
    {
        buffer.Tag('p');
        buffer.Text(server.ServerName);
        buffer.Text(server.ServerAddress);
        buffer.Optional('d', server.ServerDescription);
        foreach (var allowed in server.AllowedTools ?? [])
            buffer.Optional('t', allowed);
        buffer.Optional('a', server.ApprovalMode?.GetType().Name);
    }
}
