using System.ClientModel.Primitives;
using System.Text;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>
/// Names requests: the same for streamed and plain calls, whatever the order of additional properties; different when the endpoint, the model, the
/// messages, an option, a tool's declaration, the answer's schema, the raw options or the sample differ. Nothing named like a credential takes part.
/// </summary>
internal sealed class RequestKey
{
    /// <summary>Changes when what is hashed changes, so that old entries are not found.</summary>
    private const char Version = '1';

    private readonly IChatClient client;
    private readonly byte[] prefix;
    private readonly string defaultModel;

    public RequestKey(ClientIdentity identity, IChatClient client)
    {
        this.client = client;
        defaultModel = identity.Model ?? identity.Name;
        // A client that does not say who it is is told apart by its type.
        var text = $"{Version}\n{identity.Provider ?? client.GetType().FullName}\n{Address(identity.Endpoint)}\n";
        prefix = Encoding.UTF8.GetBytes(text);
    }

    /// <summary>The key of a request; false, with the reason, when the request says something that has no stable form.</summary>
    public bool TryCompute(IReadOnlyList<ChatMessage> messages, ChatOptions? options, out ResponseKey key, out string reason)
    {
        var buffer = new KeyBuffer(4096);
        try
        {
            buffer.Bytes(prefix);
            buffer.Text(options?.ModelId ?? defaultModel);
            reason = (options is null ? null : Add(ref buffer, options)) ?? AddMessages(ref buffer, messages) ?? string.Empty;
            key = reason.Length == 0 ? buffer.Hash() : default;
            return reason.Length == 0;
        }
        finally
        {
            buffer.Dispose();
        }
    }

    private static string? AddMessages(ref KeyBuffer buffer, IReadOnlyList<ChatMessage> messages)
    {
        foreach (var message in messages)
        {
            buffer.Tag('M');
            buffer.Text(message.Role.Value);
            buffer.Optional('a', message.AuthorName);
            foreach (var content in message.Contents)
            {
                if (ContentKey.Add(ref buffer, content) is { } reason)
                    return reason;
            }

            if (!AddProperties(ref buffer, message.AdditionalProperties))
                return "a message has an additional property without a stable form";
        }

        return null;
    }

    private string? Add(ref KeyBuffer buffer, ChatOptions options)
    {
        if (options.ConversationId is not null || options.ContinuationToken is not null)
            return "the conversation's state lies with the provider";
        buffer.Optional('I', options.Instructions);
        buffer.Optional('T', options.Temperature);
        buffer.Optional('P', options.TopP);
        buffer.Optional('K', options.TopK);
        buffer.Optional('F', options.FrequencyPenalty);
        buffer.Optional('Q', options.PresencePenalty);
        buffer.Optional('X', options.MaxOutputTokens);
        buffer.Optional('S', options.Seed);
        buffer.Optional('B', options.AllowBackgroundResponses);
        buffer.Optional('E', (long?)options.Reasoning?.Effort);
        buffer.Optional('O', (long?)options.Reasoning?.Output);
        if (options.StopSequences is { Count: > 0 } stops)
        {
            foreach (var stop in stops)
                buffer.Optional('Z', stop);
        }

        AddFormat(ref buffer, options.ResponseFormat);
        if (options is HoneChatOptions own)
        {
            if (own.LogProbs == true)
                return "log-probabilities are asked for, which a stored answer would lack";
            // At temperature 0 samples are alike: one answer serves them all.
            buffer.Optional('N', options.Temperature is 0 ? null : own.SampleId);
            buffer.Optional('L', own.LogProbs);
        }

        if (!AddProperties(ref buffer, options.AdditionalProperties))
            return "an additional property has no stable form";
        return AddTools(ref buffer, options) ?? AddRaw(ref buffer, options);
    }

    private static void AddFormat(ref KeyBuffer buffer, ChatResponseFormat? format)
    {
        if (format is not ChatResponseFormatJson json)
        {
            buffer.Optional('R', format is ChatResponseFormatText ? true : null);
            return;
        }

        buffer.Tag('J');
        if (json.Schema is { } schema)
        {
            buffer.Tag('s');
            buffer.Json(schema);
        }

        buffer.Optional('n', json.SchemaName);
        buffer.Optional('d', json.SchemaDescription);
    }

    private static string? AddTools(ref KeyBuffer buffer, ChatOptions options)
    {
        buffer.Optional('m', options.AllowMultipleToolCalls);
        switch (options.ToolMode)
        {
            case RequiredChatToolMode required:
                buffer.Tag('r');
                buffer.Optional('f', required.RequiredFunctionName);
                break;
            case NoneChatToolMode:
                buffer.Tag('x');
                break;
            case AutoChatToolMode:
                buffer.Tag('y');
                break;
        }

        if (options.Tools is null)
            return null;
        foreach (var tool in options.Tools)
        {
            if (ToolKey.Add(ref buffer, tool) is { } reason)
                return reason;
        }

        return null;
    }

    private string? AddRaw(ref KeyBuffer buffer, ChatOptions options)
    {
        if (options.RawRepresentationFactory is not { } factory)
            return null;
        var raw = factory(client);
        buffer.Tag('V');
        if (raw is IPersistableModel<object> model)
        {
            try
            {
                buffer.Text(raw.GetType().Name);
                buffer.Bytes(model.Write(ModelReaderWriterOptions.Json).ToMemory().Span);
                return null;
            }
            catch (Exception error) when (error is FormatException or InvalidOperationException or NotSupportedException)
            {
                return "the raw options have no JSON form";
            }
        }

        return buffer.Value(raw) ? null : "the raw options have no JSON form";
    }

    /// <summary>Properties by name, whatever their order; false when one has no stable form.</summary>
    internal static bool AddProperties(ref KeyBuffer buffer, IReadOnlyDictionary<string, object?>? properties)
    {
        if (properties is null || properties.Count == 0)
            return true;
        var names = new string[properties.Count];
        var count = 0;
        foreach (var (name, _) in properties)
        {
            if (!SecretText.IsSecretName(name))
                names[count++] = name;
        }

        Array.Sort(names, 0, count, StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
        {
            buffer.Tag('A');
            buffer.Text(names[i]);
            if (!buffer.Value(properties[names[i]]))
                return false;
        }

        return true;
    }

    // Without user, query and fragment, where credentials may stand.
    private static string Address(Uri? endpoint) => endpoint switch
    {
        null => string.Empty,
        { IsAbsoluteUri: true } => endpoint.GetComponents(
            UriComponents.Scheme | UriComponents.Host | UriComponents.StrongPort | UriComponents.Path, UriFormat.UriEscaped).TrimEnd('/').ToLowerInvariant(),
        _ => endpoint.OriginalString,
    };
}
