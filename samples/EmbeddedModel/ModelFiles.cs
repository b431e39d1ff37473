using System.Text.Json;

namespace EmbeddedModel;

/// <summary>The model's architecture and its files in the Hugging Face layout.</summary>
internal static class ModelFiles
{
    public const string ChatFormat = "chatml";
    public const int VocabularySize = 2048;
    private const string EndOfTurn = "<|im_end|>";

    private const string JinjaTemplate =
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
        + "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    /// <summary>About a million parameters: small enough to learn by reinforcement in minutes on two cores.</summary>
    public static ModelConfig Architecture(Tokenizer tokenizer) => new()
    {
        Family = ModelFamily.Qwen2,
        VocabularySize = VocabularySize,
        HiddenSize = 128,
        LayerCount = 4,
        HeadCount = 4,
        KeyValueHeadCount = 2,
        HeadWidth = 32,
        FeedForwardSize = 384,
        TiedEmbeddings = true,
        MaxPositions = 1024,
        EndTokenIds = [tokenizer.IdOf(EndOfTurn) ?? throw new InvalidDataException($"The tokenizer lacks {EndOfTurn}.")],
    };

    public static string TokenizerPath(string directory) => Path.Combine(directory, "tokenizer.json");

    /// <summary>Writes everything that a checkpoint needs to be loaded.</summary>
    public static void Save(string directory, ParameterSet weights, string tokenizerJson, WeightFormat format)
    {
        Directory.CreateDirectory(directory);
        Checkpoint.Save(directory, weights.Config, weights, format);
        File.WriteAllText(TokenizerPath(directory), tokenizerJson);
        var tokenizerConfig = new Dictionary<string, object>
        {
            ["tokenizer_class"] = "Qwen2Tokenizer",
            ["eos_token"] = EndOfTurn,
            ["pad_token"] = "<|endoftext|>",
            ["model_max_length"] = weights.Config.MaxPositions,
            ["hone_chat_format"] = ChatFormat,
            ["chat_template"] = JinjaTemplate,
        };
        File.WriteAllText(
            Path.Combine(directory, "tokenizer_config.json"),
            JsonSerializer.Serialize(tokenizerConfig, new JsonSerializerOptions { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) + "\n");
    }
}
