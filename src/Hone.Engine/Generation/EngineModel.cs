namespace Hone.Engine;

/// <summary>A language model in memory: weights, tokenizer and chat format. Share it among clients; dispose it after them.</summary>
public sealed class EngineModel : IDisposable
{
    private readonly Lazy<InferenceModel> _inference;

    internal EngineModel(string name, ParameterSet weights, Tokenizer tokenizer, ChatTemplate template)
    {
        var config = weights.Config;
        if (tokenizer.VocabularySize > config.VocabularySize)
            throw new InvalidDataException(
                $"Model '{name}' has {config.VocabularySize} token ids but its tokenizer has {tokenizer.VocabularySize}: they do not belong together.");
        (Name, Weights, Tokenizer, Template) = (name, weights, tokenizer, template);
        EndTokenIds = tokenizer.IdOf(template.EndOfTurnToken) is { } endOfTurn
            ? [.. config.EndTokenIds.Append(endOfTurn).Distinct()]
            : throw new InvalidDataException($"Model '{name}': the chat format '{template.Name}' ends turns with {template.EndOfTurnToken}, which its tokenizer lacks.");
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

    /// <summary>Frees the weights.</summary>
    public void Dispose()
    {
        if (_inference.IsValueCreated) _inference.Value.Dispose();
        Weights.Dispose();
    }
}
