namespace Hone.Engine;

/// <summary>One token to compute: where its keys and values go, its position in the sequence, its id, and whether its logits are wanted.</summary>
internal readonly record struct InferenceRow(KeyValueSegment Segment, int Position, int Token, bool WantLogits);

/// <summary>Working memory of one worker thread.</summary>
internal sealed class InferenceScratch : IDisposable
{
    /// <summary>Logits [V] of the <paramref name="index"/>-th row of the last step; that row must have asked for them.</summary>
    public Span<float> Logits(int index) => throw new NotImplementedException();

    public void Dispose()
    {
    }
}

/// <summary>Weights packed for generation. Safe to share by any number of workers, each with its own <see cref="InferenceScratch"/>.</summary>
internal sealed class InferenceModel : IDisposable
{
    private InferenceModel(ModelConfig config) => Config = config;

    public ModelConfig Config { get; }

    /// <summary>Packs the weights, with the adapter merged into them if there is one.</summary>
    public static InferenceModel Create(ParameterSet weights, LoraAdapter? adapter = null)
    {
        var model = new InferenceModel(weights.Config);
        model.Repack(weights, adapter);
        return model;
    }

    /// <summary>Takes over changed weights in the same memory. No <see cref="Forward"/> may run meanwhile; keys and values computed before are stale.</summary>
    public void Repack(ParameterSet weights, LoraAdapter? adapter = null) => _ = (Config, weights, adapter);

    public InferenceScratch CreateScratch(int maxRows, int maxPositions) { _ = Config; return new(); }

    /// <summary>Computes one step of any mix of prefill and decode rows. Rows of one segment are adjacent, with consecutive ascending positions.</summary>
    public void Forward(InferenceScratch scratch, ReadOnlySpan<InferenceRow> rows) => throw new NotImplementedException();

    public void Dispose()
    {
    }
}
