using System.Text.Json;
using System.Text.Json.Nodes;
using Hone.Reinforcement;
using Microsoft.Extensions.AI;

namespace Hone.Engine;

/// <summary>
/// The chat format and vocabulary of a model whose weights are elsewhere: what a training service that speaks tokens needs of it on this side. The
/// tokens are those that the model itself would be given by <see cref="EngineChatClient"/>.
/// </summary>
public sealed class EnginePolicyTokenizer : IPolicyTokenizer
{
    private const string EndKey = "eos_token_id";

    private readonly Tokenizer tokenizer;
    private readonly ChatTemplate template;
    private readonly ChatTemplateOptions options;

    /// <summary>Combines a tokenizer and a chat format.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="template">The chat format.</param>
    /// <param name="options">What else the format is told.</param>
    /// <param name="moreStopIds">Tokens that end an answer beside the format's end of turn, as a model's configuration lists them; null when there are none.</param>
    /// <exception cref="InvalidDataException">The format ends turns with a token that the tokenizer lacks.</exception>
    public EnginePolicyTokenizer(Tokenizer tokenizer, ChatTemplate template, ChatTemplateOptions? options = null, IReadOnlyList<int>? moreStopIds = null)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(template);
        (this.tokenizer, this.template, this.options) = (tokenizer, template, options ?? new());
        StopIds = tokenizer.IdOf(template.EndOfTurnToken) is { } end
            ? [.. (moreStopIds ?? []).Prepend(end).Distinct()]
            : throw new InvalidDataException($"The chat format '{template.Name}' ends turns with {template.EndOfTurnToken}, which the tokenizer lacks.");
    }

    /// <summary>Tokens that end an answer: the chat format's end of turn, with which answers to learn from end, then those that the model's configuration lists.</summary>
    public IReadOnlyList<int> StopIds { get; }

    /// <summary>
    /// Reads <c>tokenizer.json</c> and, if present, <c>tokenizer_config.json</c>, <c>config.json</c> and <c>generation_config.json</c> of a Hugging Face directory. No
    /// weights are needed.
    /// </summary>
    /// <param name="directory">The directory.</param>
    /// <param name="chatFormat">One of <see cref="ChatTemplate.Names"/>; null to recognize it.</param>
    /// <param name="options">What else the format is told.</param>
    /// <exception cref="InvalidDataException">A file is missing something, or no chat format is known.</exception>
    public static EnginePolicyTokenizer Load(string directory, string? chatFormat = null, ChatTemplateOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(directory);
        var tokenizer = Tokenizer.Load(directory);
        var model = Read(directory, "config.json");
        var template = chatFormat is not null
            ? ChatTemplate.ForName(chatFormat)
            : ChatTemplate.For(model?.OptionalText("model_type") ?? string.Empty, ChatTemplateSource.Read(directory), tokenizer);

        // A service may stop at nothing but what it is told: an answer that ends with any of these is over, as it is where the model runs here.
        int[] ends = [.. model?.Integers(EndKey) ?? [], .. Read(directory, ModelFiles.GenerationConfig)?.Integers(EndKey) ?? []];
        return new(tokenizer, template, options, ends);
    }

    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(IReadOnlyList<ChatMessage> messages) => tokenizer.Encode(template.Render(messages, addGenerationPrompt: true, options));

    /// <inheritdoc/>
    public IReadOnlyList<int> EncodeAnswer(string text) => [.. tokenizer.Encode(text, parseSpecialTokens: false), StopIds[0]];

    /// <inheritdoc/>
    public string Decode(IReadOnlyList<int> ids) => tokenizer.Decode([.. ids], skipSpecial: true);

    private static ConfigReader? Read(string directory, string file)
    {
        var path = Path.Combine(directory, file);
        if (!File.Exists(path))
            return null;
        try
        {
            return new(JsonNode.Parse(File.ReadAllBytes(path)) as JsonObject ?? throw new InvalidDataException($"'{path}' is no JSON object."), path);
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"'{path}' is no JSON: {error.Message}", error);
        }
    }
}
