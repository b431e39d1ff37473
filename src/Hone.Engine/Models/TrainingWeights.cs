namespace Hone.Engine;

/// <summary>Weights of one layer where the training kernels read them.</summary>
internal unsafe struct TrainingLayer
{
    /// <summary>Query, key and value side by side.</summary>
    public Projection Fused;

    public Projection Output;

    /// <summary>Gate and up side by side.</summary>
    public Projection GateUp;

    public Projection Down;

    public float* AttentionNorm;

    public float* FeedForwardNorm;

    /// <summary>Bias of query, key and value; null where the model has none.</summary>
    public float* Bias;

    /// <summary>Null but for Qwen 3.</summary>
    public float* QueryNorm;

    /// <summary>Null but for Qwen 3.</summary>
    public float* KeyNorm;
}

/// <summary>All weights of a model where the training kernels read them. Addresses do not change.</summary>
internal abstract unsafe class TrainingWeights : IDisposable
{
    public abstract TrainingLayer[] Layers { get; }

    /// <summary>Output projection (the embedding where tied).</summary>
    public abstract Projection Head { get; }

    public abstract float* FinalNorm { get; }

    /// <summary>What is trained: the adapter's values if there is one, else the weights.</summary>
    public abstract SharedTensor Trained { get; }

    /// <summary>The adapter where it is not part of <see cref="Layers"/> but added to what they give; else null.</summary>
    public virtual LowRankWeights? Beside => null;

    /// <summary>Takes over what the host wrote into weights and adapter.</summary>
    public abstract void Push();

    /// <summary>Takes over trained values that changed where the kernels work.</summary>
    public abstract void Refresh();

    /// <summary>The adapter's update of a projection (named without <c>.weight</c>).</summary>
    public abstract LowRankUpdate UpdateOf(string projection);

    /// <summary>target [rows, d] = embedding[tokens].</summary>
    public abstract void Gather(int rows, int* tokens, float* target);

    public abstract void Dispose();
}
