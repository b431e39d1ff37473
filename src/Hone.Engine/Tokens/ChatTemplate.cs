using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone.Engine;

/// <summary>What a chat format can be told beside the messages.</summary>
public sealed record ChatTemplateOptions
{
    /// <summary>Qwen3 only: false asks for no reasoning, by an empty think block in the generation prompt. Default true.</summary>
    public bool EnableThinking { get; init; } = true;

    /// <summary>Llama 3.1 only: the date of the system turn. Default "26 Jul 2024", as in the published template.</summary>
    public string DateString { get; init; } = "26 Jul 2024";
}

/// <summary>Renders a conversation in the text format that a family of chat models was trained with.</summary>
public abstract class ChatTemplate
{
    /// <summary>The names that <see cref="ForName"/> knows.</summary>
    public static IReadOnlyList<string> Names { get; } = ["qwen2", "qwen2.5", "qwen3", "smollm2", "chatml", "llama3", "llama3.1"];

    private protected ChatTemplate(string name, string endOfTurnToken) => (Name, EndOfTurnToken) = (name, endOfTurnToken);

    /// <summary>The name of the format.</summary>
    public string Name { get; }

    /// <summary>The token that ends a turn; a model that is done samples it.</summary>
    public string EndOfTurnToken { get; }

    /// <summary>The format with a name of <see cref="Names"/>.</summary>
    /// <exception cref="ArgumentException">There is no such format.</exception>
    public static ChatTemplate ForName(string name) => name switch
    {
        "qwen2" => new ChatMLTemplate(name, "You are a helpful assistant."),
        "qwen2.5" => new ChatMLTemplate(name, "You are Qwen, created by Alibaba Cloud. You are a helpful assistant."),
        "smollm2" => new ChatMLTemplate(name, "You are a helpful AI assistant named SmolLM, trained by Hugging Face"),
        "chatml" => new ChatMLTemplate(name, null),
        "qwen3" => new Qwen3Template(),
        "llama3" => new Llama3Template(name, hasDates: false),
        "llama3.1" => new Llama3Template(name, hasDates: true),
        _ => throw new ArgumentException($"There is no chat format '{name}'. Known formats: {string.Join(", ", Names)}.", nameof(name)),
    };

    /// <summary>
    /// The format of a checkpoint: the key <c>hone_chat_format</c> of tokenizer_config.json if present, else recognized from its
    /// <c>chat_template</c>, else from the model type and the tokens that the tokenizer has.
    /// </summary>
    /// <param name="modelType"><c>model_type</c> of config.json, for example "qwen2".</param>
    /// <param name="tokenizerConfig">The content of tokenizer_config.json, or null.</param>
    /// <param name="tokenizer">The checkpoint's tokenizer.</param>
    /// <exception cref="InvalidDataException">No known format fits.</exception>
    public static ChatTemplate For(string modelType, JsonElement? tokenizerConfig, Tokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        return For(modelType, ChatTemplateSource.Of(tokenizerConfig), tokenizer);
    }

    /// <summary>As above, with what was read of a directory.</summary>
    internal static ChatTemplate For(string modelType, ChatTemplateSource source, Tokenizer tokenizer)
    {
        if (source.Name is { } name)
        {
            return Names.Contains(name) ? ForName(name) : throw new InvalidDataException(
                $"{ChatTemplateSource.ConfigFile}, key 'hone_chat_format': there is no chat format '{name}'. Known formats: {string.Join(", ", Names)}.");
        }

        if (source.Template is { Length: > 0 } template)
        {
            return Recognize(template) ?? throw new InvalidDataException(
                $"{source.Place}: this chat template is of no family that the engine knows. " +
                $"Name one of {string.Join(", ", Names)} when loading, or as \"hone_chat_format\" in {ChatTemplateSource.ConfigFile}.");
        }

        var chatML = tokenizer.IdOf("<|im_start|>") is not null && tokenizer.IdOf("<|im_end|>") is not null;
        return (modelType, chatML) switch
        {
            ("qwen2", true) => ForName("qwen2.5"),
            ("qwen3", true) => ForName("qwen3"),
            (_, true) => ForName("chatml"),
            _ when tokenizer.IdOf("<|start_header_id|>") is not null => ForName("llama3.1"),
            _ => throw new InvalidDataException(
                $"No chat format is known for this checkpoint (model type '{modelType}'): " +
                "its tokenizer has neither <|im_start|> nor <|start_header_id|>. " +
                $"Name one of {string.Join(", ", Names)} when loading, or as \"hone_chat_format\" in tokenizer_config.json."),
        };
    }

    // The families' published templates differ in these words. Reasoning that cannot be switched off is of another family: it would be rendered wrongly.
    private static ChatTemplate? Recognize(string template)
    {
        bool Has(string text) => template.Contains(text, StringComparison.Ordinal);
        return Has("<think>") && !Has("enable_thinking") ? null
            : Has("Cutting Knowledge Date") ? ForName("llama3.1")
            : Has("<|start_header_id|>") ? ForName("llama3")
            : Has("You are Qwen, created by Alibaba Cloud") ? ForName("qwen2.5")
            : Has("enable_thinking") ? ForName("qwen3")
            : Has("SmolLM") ? ForName("smollm2")
            : !Has("<|im_start|>") ? null
            : ForName(Has("You are a helpful assistant") ? "qwen2" : "chatml");
    }

    /// <summary>The text of a conversation.</summary>
    /// <param name="messages">The messages; only text, reasoning, tool calls and tool results can be rendered.</param>
    /// <param name="addGenerationPrompt">Whether the opening of an assistant turn follows, for the model to continue.</param>
    /// <param name="options">What else the format can be told.</param>
    /// <exception cref="NotSupportedException">A message holds content that is not text, such as an image.</exception>
    public string Render(IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt, ChatTemplateOptions? options = null) =>
        RenderTurns(ChatTurn.From(messages), addGenerationPrompt, options ?? new ChatTemplateOptions());

    private protected abstract string RenderTurns(IReadOnlyList<ChatTurn> turns, bool addGenerationPrompt, ChatTemplateOptions options);
}
