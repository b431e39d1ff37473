using System.Text.Json;
using Hone.Reinforcement;
using Microsoft.Extensions.AI;

namespace Hone.Engine;

/// <summary>
/// The chat format and vocabulary of a model whose weights are elsewhere: what a training service that speaks tokens needs of it on this side. The
/// tokens are those that the model itself would be given by <see cref="EngineChatClient"/>.
/// </summary>
public sealed class EnginePolicyTokenizer : IPolicyTokenizer
{
    private readonly Tokenizer tokenizer;
    private readonly ChatTemplate template;
    private readonly ChatTemplateOptions options;

    /// <summary>Combines a tokenizer and a chat format.</summary>
    /// <exception cref="InvalidDataException">The format ends turns with a token that the tokenizer lacks.</exception>
    public EnginePolicyTokenizer(Tokenizer tokenizer, ChatTemplate template, ChatTemplateOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(template);
        (this.tokenizer, this.template, this.options) = (tokenizer, template, options ?? new());
        StopIds = tokenizer.IdOf(template.EndOfTurnToken) is { } end
            ? [end]
            : throw new InvalidDataException($"The chat format '{template.Name}' ends turns with {template.EndOfTurnToken}, which the tokenizer lacks.");
    }

    /// <inheritdoc/>
    public IReadOnlyList<int> StopIds { get; }

    /// <summary>Reads <c>tokenizer.json</c> and, if present, <c>tokenizer_config.json</c> of a Hugging Face directory. No weights are needed.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="chatFormat">One of <see cref="ChatTemplate.Names"/>; null to recognize it.</param>
    /// <param name="options">What else the format is told.</param>
    /// <exception cref="InvalidDataException">A file is missing something, or no chat format is known.</exception>
    public static EnginePolicyTokenizer Load(string directory, string? chatFormat = null, ChatTemplateOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(directory);
        var tokenizer = Tokenizer.Load(directory);
        if (chatFormat is not null)
            return new(tokenizer, ChatTemplate.ForName(chatFormat), options);
        using var model = Read(directory, "config.json");
        var type = model is not null && model.RootElement.TryGetProperty("model_type", out var value) ? value.GetString() : null;
        return new(tokenizer, ChatTemplate.For(type ?? string.Empty, ChatTemplateSource.Read(directory), tokenizer), options);
    }

    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(IReadOnlyList<ChatMessage> messages) => tokenizer.Encode(template.Render(messages, addGenerationPrompt: true, options));

    /// <inheritdoc/>
    public IReadOnlyList<int> EncodeAnswer(string text) => [.. tokenizer.Encode(text, parseSpecialTokens: false), StopIds[0]];

    /// <inheritdoc/>
    public string Decode(IReadOnlyList<int> ids) => tokenizer.Decode([.. ids], skipSpecial: true);

    private static JsonDocument? Read(string directory, string file)
    {
        var path = Path.Combine(directory, file);
        return File.Exists(path) ? JsonDocument.Parse(File.ReadAllBytes(path)) : null;
    }
}
