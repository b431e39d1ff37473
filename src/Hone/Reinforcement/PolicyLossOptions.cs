using System.Runtime.CompilerServices;

namespace Hone.Reinforcement;

/// <summary>How token losses are formed and averaged.</summary>
public enum PolicyLossType
{
    /// <summary>Mean over sequences of the mean over their tokens (DeepSeekMath, arXiv:2402.03300).</summary>
    Grpo,

    /// <summary>Sum over tokens divided by the active tokens of the microbatch.</summary>
    Bnpo,

    /// <summary>Sum over tokens divided by sequences times <see cref="PolicyLossOptions.MaxCompletionLength"/> (arXiv:2503.20783).</summary>
    DrGrpo,

    /// <summary>Sum over tokens divided by the active tokens of the whole optimizer step (arXiv:2503.14476).</summary>
    Dapo,

    /// <summary>One probability ratio per sequence, the mean of its tokens' log ratios; averaged like Grpo (arXiv:2507.18071).</summary>
    Gspo,

    /// <summary>Detached, capped ratio as a weight on the log-probability, no clipping of the gradient; averaged like Dapo (arXiv:2506.13585).</summary>
    Cispo,
}

/// <summary>What is done when the log-probabilities of sampler and trainer differ.</summary>
public enum ImportanceCorrection
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Each token's weight is its ratio trainer/sampler, clamped to the limits.</summary>
    TokenTruncate,

    /// <summary>Each token's weight is its ratio, or zero outside the limits.</summary>
    TokenMask,

    /// <summary>One weight per sequence, the product of its tokens' ratios, clamped to the limits.</summary>
    SequenceTruncate,

    /// <summary>One weight per sequence, or zero outside the limits.</summary>
    SequenceMask,

    /// <summary>
    /// What the session calls for: nothing where one program samples and trains, <see cref="TokenTruncate"/> where a service samples with other kernels
    /// than it trains with.
    /// </summary>
    Automatic,
}

/// <summary>The loss of policy optimization; what a trainer needs to know to turn advantages and log-probabilities into gradients.</summary>
public sealed record PolicyLossOptions
{
    /// <summary>The loss. Default <see cref="PolicyLossType.Dapo"/>.</summary>
    public PolicyLossType Type
    {
        get;
        init => field = Enum.IsDefined(value) ? value : throw Invalid(value, "a member of PolicyLossType");
    } = PolicyLossType.Dapo;

    /// <summary>Ratios below 1 − EpsilonLow are clipped; between 0 and 1. Default 0.2.</summary>
    public double EpsilonLow
    {
        get;
        init => field = value is >= 0 and <= 1 ? value : throw Invalid(value, "between 0 and 1");
    } = 0.2;

    /// <summary>
    /// Ratios above 1 + EpsilonHigh are clipped; null means as <see cref="EpsilonLow"/>. For Cispo it is the absolute cap of the ratio
    /// (the paper's choice is about 5), and <c>Grpo</c> refuses one below 1, which the default is. Default 0.28.
    /// </summary>
    public double? EpsilonHigh
    {
        get;
        init => field = value is null or >= 0 ? value : throw Invalid(value, "null or at least 0");
    } = 0.28;

    /// <summary>Cap of the ratio in the unclipped branch (two-sided clipping), sensibly above 1 + EpsilonHigh; null for none. Default null.</summary>
    public double? Delta
    {
        get;
        init => field = value is null or > 0 ? value : throw Invalid(value, "null or above 0");
    }

    /// <summary>Weight of the divergence from the reference policy (k3 estimator); 0 needs no reference. Default 0.</summary>
    public double Beta
    {
        get;
        init => field = value >= 0 ? value : throw Invalid(value, "at least 0");
    }

    /// <summary>The constant length that DrGrpo divides by, in tokens; other types ignore it.</summary>
    public int MaxCompletionLength
    {
        get;
        init => field = value >= 0 ? value : throw Invalid(value, "at least 0 (and above 0 for DrGrpo)");
    }

    /// <summary>Whether a completion cut off at the length limit gives no loss and leaves the token counts. Default true.</summary>
    public bool MaskTruncated { get; init; } = true;

    /// <summary>What is done about differing sampler and trainer log-probabilities. Default automatic: nothing in process, TokenTruncate on a service.</summary>
    public ImportanceCorrection Correction
    {
        get;
        init => field = Enum.IsDefined(value) ? value : throw Invalid(value, "a member of ImportanceCorrection");
    } = ImportanceCorrection.Automatic;

    /// <summary>Lower limit of correction weights; null for none. Default null.</summary>
    public double? CorrectionMin
    {
        get;
        init => field = value is null or >= 0 ? value : throw Invalid(value, "null or at least 0");
    }

    /// <summary>Upper limit of correction weights; null for none. Default 2.</summary>
    public double? CorrectionMax
    {
        get;
        init => field = value is null or > 0 ? value : throw Invalid(value, "null or above 0");
    } = 2.0;

    /// <summary>
    /// A sequence with a negative advantage is dropped when its mean sampler log-probability exceeds its mean current one by more than this;
    /// null keeps all. Default null.
    /// </summary>
    public double? OffPolicyThreshold
    {
        get;
        init => field = value is null || double.IsFinite(value.Value) ? value : throw Invalid(value, "null or a finite number");
    }

    /// <summary>The temperature that completions were sampled at; log-probabilities are taken of logits divided by it. Default 1.</summary>
    public double Temperature
    {
        get;
        init => field = value > 0 ? value : throw Invalid(value, "above 0");
    } = 1;

    /// <summary>Whether each predictor has the same weight in a step, however many tokens or sequences it produced. Default false.</summary>
    public bool NormalizePerPredictor { get; init; }

    private static ArgumentOutOfRangeException Invalid(object? value, string expected, [CallerMemberName] string property = "") =>
        new(property, value, $"{nameof(PolicyLossOptions)}.{property} must be {expected}.");
}
