using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Who is called: what the client says of itself, and what the model is called in traces.</summary>
internal sealed record ClientIdentity(string Name, string? Provider, string? Model, Uri? Endpoint, string Role)
{
    public static ClientIdentity Of(IChatClient client, string? name = null, string role = LM.TaskRole)
    {
        var metadata = client.GetService(typeof(ChatClientMetadata)) as ChatClientMetadata;
        return new(
            name ?? metadata?.DefaultModelId ?? metadata?.ProviderName ?? client.GetType().Name,
            metadata?.ProviderName, metadata?.DefaultModelId, metadata?.ProviderUri, role);
    }

    /// <summary>What the call is for.</summary>
    public string RoleOf(ChatOptions? options) => (options as HoneChatOptions)?.Role ?? Role;

    /// <summary>Path of the calling predictor; empty outside a program.</summary>
    public static string PathOf(ChatOptions? options) => (options as HoneChatOptions)?.Path ?? string.Empty;
}
