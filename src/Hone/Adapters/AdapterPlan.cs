using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>One request, ready to send: what the adapter rendered, what the provider does natively, and how to read the response.</summary>
internal sealed class AdapterPlan
{
    private readonly Signature declared;
    private readonly NativeFeatures? native;
    private readonly ChatResponseFormat? format;

    private AdapterPlan(Adapter adapter, AdapterRequest request, NativeFeatures? native, ModelCapabilities capabilities)
    {
        (Adapter, declared, this.native) = (adapter, request.Signature, native);
        Rendered = native?.Rendered ?? declared;
        var messages = adapter.Render(native is null ? request : request with { Signature = Rendered, UsesNativeTools = native.UsesTools });
        Messages = capabilities.SystemRole ? messages : SystemIntoUser(messages);
        format = adapter.ResponseFormatFor(Rendered, capabilities);
    }

    public Adapter Adapter { get; }

    /// <summary>The signature that is rendered and parsed: without the fields that the provider fills natively.</summary>
    public Signature Rendered { get; }

    public IReadOnlyList<ChatMessage> Messages { get; }

    /// <exception cref="HoneException">The signature asks for tool calls but has no input with tools.</exception>
    public static AdapterPlan Create(Adapter adapter, AdapterRequest request, ModelCapabilities capabilities, CallOptions options) =>
        new(adapter, request, NativeFeatures.Find(adapter, request, capabilities, options), capabilities);

    /// <summary>Adds what the request needs beyond its messages.</summary>
    public void Configure(ChatOptions options)
    {
        if (options.ResponseFormat is null && format is not null)
        {
            options.ResponseFormat = format;
            if (options is HoneChatOptions own && Adapter.AsksStrictly && format is ChatResponseFormatJson { Schema: not null })
                own.IsStrictFormat = true;
        }

        native?.Configure(options);
        // How tools may be called is no matter of a request that has none.
        if (options.Tools is null or { Count: 0 })
            (options.ToolMode, options.AllowMultipleToolCalls) = (null, null);
    }

    /// <summary>The outputs of a response.</summary>
    /// <exception cref="AdapterParseException">The answer holds no outputs, or was declined or cut off before they were whole.</exception>
    public ParsedAnswer Read(ChatResponse response, string text)
    {
        try
        {
            return native is null ? Adapter.Read(declared, text) : native.Read(Adapter, declared, response, text);
        }
        catch (AdapterParseException failure) when (Ending(response) is { } ending)
        {
            throw new AdapterParseException(
                failure.Adapter, declared, failure.Completion, ending, failure.Parsed, Explain(ending, response, failure.Reason), failure)
            {
                FoundFields = failure.FoundFields,
                Field = failure.Field,
            };
        }
    }

    /// <summary>The outputs of a response whose text a second call has read.</summary>
    public FieldMap Complete(ChatResponse response, FieldMap read) => native is null ? read : native.Complete(declared, response, read);

    /// <summary>True when the answer is good without what a second call would read from its text: the model has asked for tools.</summary>
    public bool IsComplete(ChatResponse response) => native?.HasCalls(response) == true;

    /// <summary>True when the answer was cut off or declined, so that it may lack what it was to say.</summary>
    public static bool EndedEarly(ChatResponse response) => Ending(response) is not null;

    /// <summary>The conversation so far, the unreadable answer and what was wrong with it.</summary>
    public IReadOnlyList<ChatMessage> Correct(IReadOnlyList<ChatMessage> messages, string text, AdapterParseException failure)
    {
        var correction = new ChatMessage(ChatRole.User, Adapter.RenderCorrection(Rendered, failure));
        return string.IsNullOrWhiteSpace(text) ? [.. messages, correction] : [.. messages, new(ChatRole.Assistant, text), correction];
    }

    // For models without a system role its text opens the first user message.
    private static IReadOnlyList<ChatMessage> SystemIntoUser(IReadOnlyList<ChatMessage> messages)
    {
        if (messages is not [{ Role: var first } system, ..] || first != ChatRole.System)
            return messages;
        if (messages is not [_, { Role: var second } user, ..] || second != ChatRole.User)
            return [new(ChatRole.User, system.Text), .. messages.Skip(1)];
        return [new(ChatRole.User, [new TextContent(system.Text + "\n\n"), .. user.Contents]), .. messages.Skip(2)];
    }

    private static ParseFailureKind? Ending(ChatResponse response) =>
        response.FinishReason == ChatFinishReason.Length ? ParseFailureKind.Truncated
        : response.FinishReason == ChatFinishReason.ContentFilter || RefusalOf(response) is not null ? ParseFailureKind.Refused
        : null;

    private static string Explain(ParseFailureKind ending, ChatResponse response, string reason) => ending == ParseFailureKind.Truncated
        ? $"the answer was cut off at the token limit: {reason} Raise {nameof(CallOptions.MaxOutputTokens)}."
        : $"the model declined to answer{(RefusalOf(response) is { Length: > 0 } said ? $" ({said})" : string.Empty)}: {reason}";

    // Providers tell a refusal as an error content.
    private static string? RefusalOf(ChatResponse response)
    {
        foreach (var message in response.Messages)
        {
            foreach (var content in message.Contents)
            {
                if (content is ErrorContent { ErrorCode: "Refusal" or "refusal" } refusal)
                    return refusal.Message;
            }
        }

        return null;
    }
}
