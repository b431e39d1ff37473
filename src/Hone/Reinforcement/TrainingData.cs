namespace Hone.Reinforcement;

/// <summary>One completion to learn from, with the exact tokens that were sampled.</summary>
public sealed record TrainingDatum
{
    /// <summary>Prompt ids; never trained on.</summary>
    public required IReadOnlyList<int> PromptIds { get; init; }

    /// <summary>Completion ids as sampled.</summary>
    public required IReadOnlyList<int> CompletionIds { get; init; }

    /// <summary>The sampler's log-probability of each completion id; empty when unknown.</summary>
    public IReadOnlyList<float> SamplerLogProbs { get; init; } = [];

    /// <summary>Log-probabilities under the policy before the first update on this batch; null takes the current ones (ratio 1).</summary>
    public IReadOnlyList<float>? OldLogProbs { get; init; }

    /// <summary>1 for a token that is trained on, 0 for one that is not; null trains on all.</summary>
    public IReadOnlyList<float>? Mask { get; init; }

    /// <summary>How much better than its group the completion was.</summary>
    public double Advantage { get; init; }

    /// <summary>True when the token limit cut the completion off.</summary>
    public bool IsTruncated { get; init; }

    /// <summary>Path of the predictor, for per-predictor normalization and metrics.</summary>
    public string Predictor { get; init; } = string.Empty;

    /// <summary>The completion as text; null unless the session learns from text (<see cref="TrainingCapabilities.LearnsFromText"/>).</summary>
    public TrainingText? Text { get; init; }
}

/// <summary>What a forward and backward pass found.</summary>
public sealed record ForwardBackwardResult
{
    /// <summary>Current log-probability of every completion token, one array a datum.</summary>
    public required IReadOnlyList<float[]> LogProbs { get; init; }

    /// <summary>The loss. Near zero with one update a batch, although its gradient is not: watch the reward instead. NaN, like other numbers, when a service does not tell.</summary>
    public double Loss { get; init; }

    /// <summary>Mean importance ratio over active tokens.</summary>
    public double MeanRatio { get; init; } = 1;

    /// <summary>Share of active tokens clipped from below (negative advantage).</summary>
    public double ClipFractionLow { get; init; }

    /// <summary>Share of active tokens clipped from above (positive advantage).</summary>
    public double ClipFractionHigh { get; init; }

    /// <summary>Mean k3 estimate of the divergence from the reference.</summary>
    public double MeanKl { get; init; }

    /// <summary>Mean entropy of the policy at the trained positions, in nats.</summary>
    public double MeanEntropy { get; init; }

    /// <summary>Mean absolute difference between the sampler's and the trainer's log-probabilities.</summary>
    public double SamplerDifferenceMean { get; init; }

    /// <summary>Largest absolute difference between the sampler's and the trainer's log-probabilities.</summary>
    public double SamplerDifferenceMax { get; init; }

    /// <summary>Active tokens.</summary>
    public long ActiveTokens { get; init; }

    /// <summary>Seconds spent in forward passes.</summary>
    public double ForwardSeconds { get; init; }

    /// <summary>Seconds spent in backward passes.</summary>
    public double BackwardSeconds { get; init; }
}

/// <summary>What an optimizer step did.</summary>
/// <param name="GradientNorm">Global norm before clipping; NaN when a service does not tell.</param>
/// <param name="Seconds">Time taken, without <see cref="SyncSeconds"/>.</param>
public sealed record OptimizerStepResult(double GradientNorm, double Seconds)
{
    /// <summary>Time that handing the new weights to a sampler elsewhere took; 0 in process.</summary>
    public double SyncSeconds { get; init; }

    /// <summary>Most updates that a service made of its own between the sampling of the data and learning from it; 0 where a step is one update.</summary>
    public int Staleness { get; init; }
}

/// <summary>What an update found and did.</summary>
/// <param name="Pass">The forward and backward pass.</param>
/// <param name="Step">The optimizer step.</param>
public sealed record TrainingUpdate(ForwardBackwardResult Pass, OptimizerStepResult Step);

/// <summary>AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101) for one step.</summary>
public sealed record OptimizerStepOptions
{
    /// <summary>Learning rate of this step.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Decay of the first moment.</summary>
    /// <value>0.9 by default.</value>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>Decay of the second moment.</summary>
    /// <value>0.999 by default.</value>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the denominator.</summary>
    /// <value>1e-8 by default.</value>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>Decoupled decay of matrices; norms and biases never decay.</summary>
    /// <value>0 by default.</value>
    public double WeightDecay { get; init; }

    /// <summary>Largest global gradient norm; larger gradients are scaled down to it.</summary>
    /// <value>1 by default.</value>
    public double MaxGradientNorm { get; init; } = 1;
}

/// <summary>Low-rank adaptation (Hu et al. 2021, arXiv 2106.09685): W' = W + (alpha / rank) B A.</summary>
public sealed record LoraOptions
{
    /// <summary>Rank.</summary>
    /// <value>8 by default.</value>
    public int Rank
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(Rank)); field = value; }
    } = 8;

    /// <summary>Scale numerator.</summary>
    /// <value>16 by default.</value>
    public double Alpha { get; init; } = 16;

    /// <summary>Which projections get an adapter.</summary>
    /// <value>All seven by default.</value>
    public IReadOnlyList<string> Targets { get; init; } = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];
}

/// <summary>How a training session is set up.</summary>
public sealed record TrainingOptions
{
    /// <summary>Trains an adapter of this shape; null trains all weights.</summary>
    public LoraOptions? Lora { get; init; }

    /// <summary>Seed of the adapter's first values.</summary>
    public long Seed { get; init; }

    /// <summary>Keeps the starting weights for a divergence penalty.</summary>
    public bool KeepReference { get; init; }

    /// <summary>The options of the model that is trained, for a session that samples by itself; a call of the policy brings its own, which hold these already.</summary>
    public CallOptions Sampling { get; init; } = new();

    /// <summary>What the run is going to ask for; null when its caller does not know.</summary>
    public TrainingPlan? Plan { get; init; }
}
