using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Engine;

public sealed partial record ModelConfig
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>
    /// Reads a Hugging Face <c>config.json</c> of type <c>qwen2</c>, <c>qwen3</c> or <c>llama</c>, in the older and the newer spelling.
    /// </summary>
    /// <param name="json">Text of the file.</param>
    /// <param name="path">Where the text comes from; only used in error messages.</param>
    /// <exception cref="InvalidDataException">A key is missing, has an impossible value, or asks for what the engine does not compute.</exception>
    public static ModelConfig Parse(string json, string path)
    {
        JsonObject root;
        try
        {
            root = JsonNode.Parse(json) as JsonObject
                ?? throw new InvalidDataException($"'{path}' is not a JSON object; expected a Hugging Face config.json.");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"'{path}' is not valid JSON: {error.Message}", error);
        }

        var reader = new ConfigReader(root, path);
        var family = reader.Text("model_type") switch
        {
            "qwen2" => ModelFamily.Qwen2,
            "qwen3" => ModelFamily.Qwen3,
            "llama" => ModelFamily.Llama,
            var other => throw reader.Error("model_type", $"'{other}' is not a supported architecture; expected qwen2, qwen3 or llama"),
        };
        reader.Forbid("use_sliding_window", "sliding-window attention is not supported");
        reader.Forbid("rope_interleaved", "rotary embeddings of adjacent pairs are not supported");
        reader.ForbidSection("quantization_config", "quantized weights are not supported; load the model in bfloat16, float16 or float32");
        reader.Forbid("mlp_bias", "biases in the feed-forward block are not supported");
        if (family != ModelFamily.Qwen2) reader.Forbid("attention_bias", $"attention biases are not supported for {family}");
        if (reader.OptionalText("hidden_act") is { } activation && activation != "silu")
            throw reader.Error("hidden_act", $"'{activation}' is not supported; expected silu");

        var hidden = reader.Positive("hidden_size");
        var heads = reader.Positive("num_attention_heads");
        var positions = reader.OptionalInteger("max_position_embeddings") ?? 4096;
        var (theta, scaling) = reader.Rope(positions);
        var config = new ModelConfig
        {
            Family = family,
            VocabularySize = reader.Positive("vocab_size"),
            HiddenSize = hidden,
            LayerCount = reader.Positive("num_hidden_layers"),
            HeadCount = heads,
            KeyValueHeadCount = reader.OptionalInteger("num_key_value_heads") ?? heads,
            HeadWidth = reader.OptionalInteger("head_dim") ?? hidden / heads,
            FeedForwardSize = reader.Positive("intermediate_size"),
            RopeTheta = theta,
            RopeScaling = scaling,
            NormEpsilon = (float)(reader.OptionalNumber("rms_norm_eps") ?? 1e-6),
            TiedEmbeddings = reader.OptionalFlag("tie_word_embeddings") ?? false,
            MaxPositions = positions,
            BeginTokenId = reader.OptionalInteger("bos_token_id"),
            EndTokenIds = reader.Integers("eos_token_id"),
        };
        if (config.KeyValueHeadCount < 1 || heads % config.KeyValueHeadCount != 0)
            throw reader.Error("num_key_value_heads", $"{config.KeyValueHeadCount} does not divide num_attention_heads = {heads}");
        if (config.HeadWidth < 2 || config.HeadWidth % 2 != 0)
            throw reader.Error("head_dim", $"{config.HeadWidth} is not a positive even number");
        return config;
    }

    /// <summary>Writes a Hugging Face <c>config.json</c> that <see cref="Parse"/> and transformers read.</summary>
    public string ToJson() => ToJson("float32");

    /// <summary>The same, naming the number format in which the weights are stored.</summary>
    internal string ToJson(string dataType)
    {
        var name = Family switch { ModelFamily.Qwen2 => "Qwen2", ModelFamily.Qwen3 => "Qwen3", _ => "Llama" };
        var root = new JsonObject
        {
            ["architectures"] = new JsonArray(name + "ForCausalLM"),
            ["model_type"] = name.ToLowerInvariant(),
            ["hidden_act"] = "silu",
            ["hidden_size"] = HiddenSize,
            ["intermediate_size"] = FeedForwardSize,
            ["num_hidden_layers"] = LayerCount,
            ["num_attention_heads"] = HeadCount,
            ["num_key_value_heads"] = KeyValueHeadCount,
            ["head_dim"] = HeadWidth,
            ["vocab_size"] = VocabularySize,
            ["max_position_embeddings"] = MaxPositions,
            ["rms_norm_eps"] = (double)(decimal)NormEpsilon,
            ["rope_theta"] = RopeTheta,
            ["rope_scaling"] = RopeScaling?.ToJson(),
            ["tie_word_embeddings"] = TiedEmbeddings,
            ["torch_dtype"] = dataType,
        };
        if (Family != ModelFamily.Qwen2) root["attention_bias"] = false;
        if (BeginTokenId is { } begin) root["bos_token_id"] = begin;
        if (EndTokenIds.Count == 1) root["eos_token_id"] = EndTokenIds[0];
        else if (EndTokenIds.Count > 1) root["eos_token_id"] = new JsonArray([.. EndTokenIds.Select(id => (JsonNode)id)]);
        return root.ToJsonString(Indented);
    }

    /// <summary>Equal when every value is equal, the end tokens compared one by one.</summary>
    public bool Equals(ModelConfig? other) => other is not null && ToJson() == other.ToJson();

    /// <inheritdoc />
    public override int GetHashCode() => HashCode.Combine(Family, VocabularySize, HiddenSize, LayerCount, HeadCount, FeedForwardSize);
}
