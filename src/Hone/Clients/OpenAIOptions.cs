using System.ClientModel.Primitives;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>
/// What OpenAI's client does not take out of chat options by itself: that a schema is to be kept to strictly, log-probabilities, and options by the
/// provider's own names. They go out as they are, by way of the client's own options object, which can be read from JSON: no type of the client is
/// needed here.
/// </summary>
internal static class OpenAIOptions
{
    public const string Provider = "openai";

    /// <summary>The name that makes the client send <c>strict</c>: a convention of Microsoft.Extensions.AI.</summary>
    private const string Strict = "strict";

    /// <summary>The options as the client must get them; the same object when there is nothing to add.</summary>
    /// <param name="options">Never changed.</param>
    /// <param name="client">The client that will be called.</param>
    /// <param name="ignored">True when the options hold some by the provider's name that cannot be passed on.</param>
    public static HoneChatOptions Complete(HoneChatOptions options, IChatClient client, out bool ignored)
    {
        ignored = false;
        if (options.AdditionalProperties is not { Count: > 0 } && !options.IsStrictFormat)
            return options;
        var isOfResponses = IsOfResponses(client);
        var body = BodyOf(options, isOfResponses);
        ignored = body is not null && !isOfResponses && !IsOfChat(client);
        if ((body is null || ignored) && !options.IsStrictFormat)
            return options;
        var complete = HoneChatOptions.CopyOf(options);
        if (body is not null && !ignored)
            complete.RawRepresentationFactory = inner => Merge(options.RawRepresentationFactory?.Invoke(inner) ?? (isOfResponses ? NewResponseOptions() : NewChatOptions()), body);
        if (options.IsStrictFormat)
        {
            (complete.AdditionalProperties ??= [])[Strict] = true;
            // The same name would also hold tools to it, whose schemas were not made for that.
            for (var i = 0; i < complete.Tools?.Count; i++)
                complete.Tools[i] = Loose(complete.Tools[i]);
        }

        return complete;
    }

    // Further options and log-probabilities, as a JSON object. The responses API asks for log-probabilities in another way.
    private static byte[]? BodyOf(HoneChatOptions options, bool isOfResponses)
    {
        var properties = options.AdditionalProperties;
        if (properties is null || properties.Count == 0)
            return null;
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer);
        var count = 0;
        writer.WriteStartObject();
        foreach (var (name, value) in properties)
        {
            if ((name == Strict && value is bool) || (isOfResponses && name == "logprobs"))
                continue;
            writer.WritePropertyName(name);
            if (!StableJson.TryWrite(writer, value, sorted: false))
                throw new LMConfigurationException($"The additional option '{name}' is a {value?.GetType().Name}, which has no JSON form, so it cannot be sent.");
            count++;
        }

        writer.WriteEndObject();
        writer.Flush();
        return count == 0 ? null : buffer.WrittenSpan.ToArray();
    }

    // The names are constant, so that trimming keeps what they stand for where it is used at all. A client may call itself OpenAI's and be neither.
    private static bool IsOfChat(IChatClient client) => Type.GetType("OpenAI.Chat.ChatClient, OpenAI") is { } type && client.GetService(type) is not null;

    private static bool IsOfResponses(IChatClient client) =>
        Type.GetType("OpenAI.Responses.ResponsesClient, OpenAI") is { } type && client.GetService(type) is not null;

    private static object? NewChatOptions() =>
        Type.GetType("OpenAI.Chat.ChatCompletionOptions, OpenAI") is { } type ? Activator.CreateInstance(type) : null;

    private static object? NewResponseOptions() =>
        Type.GetType("OpenAI.Responses.CreateResponseOptions, OpenAI") is { } type ? Activator.CreateInstance(type) : null;

    // What the caller's own options object says is kept; what is named in both is taken from the options by name.
    private static object? Merge(object? raw, byte[] body)
    {
        if (raw is not IPersistableModel<object> model)
            return raw;
        using var own = JsonDocument.Parse(model.Write(ModelReaderWriterOptions.Json));
        using var added = JsonDocument.Parse(body);
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(buffer);
        writer.WriteStartObject();
        foreach (var member in own.RootElement.EnumerateObject())
        {
            if (!added.RootElement.TryGetProperty(member.Name, out _))
                member.WriteTo(writer);
        }

        foreach (var member in added.RootElement.EnumerateObject())
            member.WriteTo(writer);
        writer.WriteEndObject();
        writer.Flush();
        return model.Create(new BinaryData(buffer.WrittenMemory), ModelReaderWriterOptions.Json);
    }

    private static AITool Loose(AITool tool) => tool switch
    {
        _ when tool.AdditionalProperties.ContainsKey(Strict) => tool,
        AIFunction function => new LooseFunction(function),
        AIFunctionDeclaration declaration => new LooseDeclaration(declaration),
        _ => tool,
    };

    private static Dictionary<string, object?> NotStrict(AITool tool) => new(tool.AdditionalProperties) { [Strict] = false };

    private sealed class LooseFunction(AIFunction function) : DelegatingAIFunction(function)
    {
        public override IReadOnlyDictionary<string, object?> AdditionalProperties { get; } = NotStrict(function);
    }

    private sealed class LooseDeclaration(AIFunctionDeclaration declaration) : AIFunctionDeclaration
    {
        public override string Name => declaration.Name;

        public override string Description => declaration.Description;

        public override JsonElement JsonSchema => declaration.JsonSchema;

        public override JsonElement? ReturnJsonSchema => declaration.ReturnJsonSchema;

        public override IReadOnlyDictionary<string, object?> AdditionalProperties { get; } = NotStrict(declaration);

        public override object? GetService(Type serviceType, object? serviceKey = null) =>
            base.GetService(serviceType, serviceKey) ?? declaration.GetService(serviceType, serviceKey);
    }
}
