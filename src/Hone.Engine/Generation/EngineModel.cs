using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Engine;

/// <summary>A language model in memory: weights, tokenizer and chat format. Share it among clients; dispose it after them.</summary>
public sealed partial class EngineModel : IDisposable
{
    private const string TokenizerFileName = "tokenizer.json", TokenizerConfigFileName = "tokenizer_config.json",
        GenerationConfigFileName = "generation_config.json";

    private readonly Lazy<InferenceModel> _inference;

    internal EngineModel(
        string name, ParameterSet weights, Tokenizer tokenizer, ChatTemplate template, IReadOnlyList<int>? moreEndTokens = null)
    {
        var config = weights.Config;
        if (tokenizer.VocabularySize > config.VocabularySize)
            throw new InvalidDataException(
                $"Model '{name}' has {config.VocabularySize} token ids but its tokenizer has {tokenizer.VocabularySize}: " +
                "they do not belong together.");
        (Name, Weights, Tokenizer, Template) = (name, weights, tokenizer, template);
        EndTokenIds = tokenizer.IdOf(template.EndOfTurnToken) is { } endOfTurn
            ? [.. config.EndTokenIds.Append(endOfTurn).Concat(moreEndTokens ?? []).Distinct()]
            : throw new InvalidDataException(
                $"Model '{name}': the chat format '{template.Name}' ends turns with {template.EndOfTurnToken}, which its tokenizer lacks.");
        _inference = new Lazy<InferenceModel>(() => InferenceModel.Create(Weights));
    }

    /// <summary>Name for traces and reports: by default the directory's.</summary>
    public string Name { get; }

    /// <summary>Shape of the model.</summary>
    public ModelConfig Config => Weights.Config;

    /// <summary>The tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>The chat format.</summary>
    public ChatTemplate Template { get; }

    /// <summary>Tokens that end a completion: those of the configuration and the chat format's end of turn.</summary>
    public IReadOnlyList<int> EndTokenIds { get; }

    internal ParameterSet Weights { get; }

    /// <summary>The weights packed for generation; made on first use.</summary>
    internal InferenceModel Inference => _inference.Value;

    /// <summary>
    /// Reads a checkpoint in the Hugging Face layout: config.json, safetensors, tokenizer.json and, if present, tokenizer_config.json and
    /// generation_config.json.
    /// </summary>
    /// <param name="directory">The checkpoint.</param>
    /// <param name="chatFormat">One of <see cref="ChatTemplate.Names"/>; null to recognize it.</param>
    /// <param name="name">Name for traces and reports; null for the directory's.</param>
    /// <exception cref="InvalidDataException">A file is missing something or is of a kind that the engine does not read.</exception>
    public static EngineModel Load(string directory, string? chatFormat = null, string? name = null)
    {
        var tokenizer = Tokenizer.Load(directory);
        using var tokenizerConfig = ReadJson(directory, TokenizerConfigFileName);
        using var generationConfig = ReadJson(directory, GenerationConfigFileName);
        var (config, weights) = Checkpoint.Load(directory);
        var template = chatFormat is null
            ? ChatTemplate.For(ModelTypeOf(config), tokenizerConfig?.RootElement, tokenizer)
            : ChatTemplate.ForName(chatFormat);
        return new EngineModel(name ?? new DirectoryInfo(directory).Name, weights, tokenizer, template, EndTokens(generationConfig));
    }

    /// <summary>
    /// Writes a checkpoint that <see cref="Load"/> reads: weights, configuration, tokenizer, chat format and end tokens. Each file is replaced
    /// as a whole.
    /// </summary>
    /// <param name="directory">Where to; created if needed.</param>
    /// <param name="format">Number format of the weights.</param>
    public void Save(string directory, WeightFormat format = WeightFormat.Float32)
    {
        Checkpoint.Save(directory, Config, Weights, format);
        AtomicFile.Write(Path.Combine(directory, TokenizerFileName), stream => stream.Write(Tokenizer.Json.Span));
        WriteJson(Path.Combine(directory, TokenizerConfigFileName), new JsonObject { ["hone_chat_format"] = Template.Name, ["eos_token"] = Template.EndOfTurnToken });
        WriteJson(Path.Combine(directory, GenerationConfigFileName), new JsonObject { ["eos_token_id"] = new JsonArray([.. EndTokenIds.Select(id => JsonValue.Create(id))]) });
    }

    private static void WriteJson(string path, JsonObject content) =>
        AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(content.ToJsonString())));

    /// <summary>A model with other weights of the same shape and everything else as here. It owns the weights.</summary>
    internal EngineModel WithWeights(ParameterSet weights, string? name = null) => new(name ?? Name, weights, Tokenizer, Template, EndTokenIds);

    /// <summary>Frees the weights.</summary>
    public void Dispose()
    {
        if (_inference.IsValueCreated) _inference.Value.Dispose();
        Weights.Dispose();
    }

    private static string ModelTypeOf(ModelConfig config) => config.Family.ToString().ToLowerInvariant();

    private static JsonDocument? ReadJson(string directory, string file)
    {
        var path = Path.Combine(directory, file);
        if (!File.Exists(path)) return null;
        try
        {
            return JsonDocument.Parse(File.ReadAllBytes(path));
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"'{path}' is not JSON: {error.Message}", error);
        }
    }

    // One id or a list of them.
    private static int[] EndTokens(JsonDocument? generationConfig)
    {
        if (generationConfig is null || !generationConfig.RootElement.TryGetProperty("eos_token_id", out var ids)) return [];
        return ids.ValueKind switch
        {
            JsonValueKind.Number => [ids.GetInt32()],
            JsonValueKind.Array => [.. ids.EnumerateArray().Select(id => id.GetInt32())],
            _ => [],
        };
    }
}
