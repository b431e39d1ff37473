namespace Hone.Engine;

/// <summary>Hugging Face names of the tensors of one layer (projections without <c>.weight</c>) and of the model.</summary>
internal readonly record struct ParameterNames(int Layer)
{
    public const string Embedding = "model.embed_tokens.weight";
    public const string FinalNorm = "model.norm.weight";
    public const string Head = "lm_head.weight";

    public string AttentionNorm => $"model.layers.{Layer}.input_layernorm.weight";

    public string FeedForwardNorm => $"model.layers.{Layer}.post_attention_layernorm.weight";

    public string QueryNorm => $"model.layers.{Layer}.self_attn.q_norm.weight";

    public string KeyNorm => $"model.layers.{Layer}.self_attn.k_norm.weight";

    public string Query => $"model.layers.{Layer}.self_attn.q_proj";

    public string Key => $"model.layers.{Layer}.self_attn.k_proj";

    public string Value => $"model.layers.{Layer}.self_attn.v_proj";

    public string Output => $"model.layers.{Layer}.self_attn.o_proj";

    public string Gate => $"model.layers.{Layer}.mlp.gate_proj";

    public string Up => $"model.layers.{Layer}.mlp.up_proj";

    public string Down => $"model.layers.{Layer}.mlp.down_proj";

    /// <summary>The seven projections that an adapter can target, by the last part of their names.</summary>
    public static IReadOnlyList<string> Projections { get; } = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

    /// <summary>Rows of a projection's weight: the width of its output.</summary>
    public static int RowsOf(string projection, ModelConfig config) => projection[(projection.LastIndexOf('.') + 1)..] switch
    {
        "q_proj" => config.QueryWidth,
        "k_proj" or "v_proj" => config.KeyValueWidth,
        "gate_proj" or "up_proj" => config.FeedForwardSize,
        _ => config.HiddenSize,
    };

    public static bool WritesResidual(string name) =>
        name.EndsWith(".o_proj.weight", StringComparison.Ordinal) || name.EndsWith(".down_proj.weight", StringComparison.Ordinal);
}
