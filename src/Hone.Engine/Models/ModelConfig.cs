namespace Hone.Engine;

/// <summary>Decoder-only transformer architectures that the engine runs.</summary>
public enum ModelFamily
{
    /// <summary>Qwen 2 and 2.5: biases on query, key and value.</summary>
    Qwen2,

    /// <summary>Qwen 3: RMS normalization of every query and key head before the rotary embedding.</summary>
    Qwen3,

    /// <summary>Llama 2 and 3, SmolLM 2 and other models of type <c>llama</c>.</summary>
    Llama,
}

/// <summary>Shape and constants of a model, as in a Hugging Face <c>config.json</c>.</summary>
public sealed partial record ModelConfig
{
    /// <summary>The architecture.</summary>
    public required ModelFamily Family { get; init; }

    /// <summary>Number of token ids, rows of the embedding.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Number of transformer layers.</summary>
    public required int LayerCount { get; init; }

    /// <summary>Number of query heads.</summary>
    public required int HeadCount { get; init; }

    /// <summary>Number of key and value heads; divides <see cref="HeadCount"/>.</summary>
    public required int KeyValueHeadCount { get; init; }

    /// <summary>Width of one head; not always <c>HiddenSize / HeadCount</c>.</summary>
    public required int HeadWidth { get; init; }

    /// <summary>Inner width of the feed-forward block.</summary>
    public required int FeedForwardSize { get; init; }

    /// <summary>Base of the rotary frequencies.</summary>
    public double RopeTheta { get; init; } = 10_000;

    /// <summary>Scaling of the rotary frequencies, or null for none.</summary>
    public RopeScaling? RopeScaling { get; init; }

    /// <summary>Added to the mean square in RMS normalization.</summary>
    public float NormEpsilon { get; init; } = 1e-6f;

    /// <summary>Whether the output projection is the embedding.</summary>
    public bool TiedEmbeddings { get; init; } = true;

    /// <summary>Whether each query and key head is RMS-normalized before the rotary embedding (Qwen 3).</summary>
    public bool QueryKeyNorm => Family == ModelFamily.Qwen3;

    /// <summary>Whether query, key and value projections carry biases (Qwen 2).</summary>
    public bool AttentionBias => Family == ModelFamily.Qwen2;

    /// <summary>
    /// Longest sequence, in tokens. At least <see cref="RopeScaling.ExtendedPositions"/>: files keep the length before scaling in
    /// <c>max_position_embeddings</c>.
    /// </summary>
    public int MaxPositions { get => Math.Max(field, RopeScaling?.ExtendedPositions ?? 0); init; } = 4096;

    /// <summary>Id of the token that begins a text, if the model has one.</summary>
    public int? BeginTokenId { get; init; }

    /// <summary>Ids of the tokens that end a generation; may be empty.</summary>
    public IReadOnlyList<int> EndTokenIds { get; init; } = [];

    /// <summary>Width of all query heads together.</summary>
    internal int QueryWidth => HeadCount * HeadWidth;

    /// <summary>Width of all key heads together (and of all value heads).</summary>
    internal int KeyValueWidth => KeyValueHeadCount * HeadWidth;

    /// <summary>Width of query, key and value side by side.</summary>
    internal int FusedAttentionWidth => QueryWidth + 2 * KeyValueWidth;

    /// <summary>Query heads per key/value head.</summary>
    internal int HeadsPerGroup => HeadCount / KeyValueHeadCount;
}
