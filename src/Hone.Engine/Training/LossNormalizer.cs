using Hone.Reinforcement;

namespace Hone.Engine;

/// <summary>What a sequence contributes to normalizers.</summary>
/// <param name="ActiveTokens">Its trainable tokens (mask 1), before truncation is considered.</param>
/// <param name="IsTruncated">Whether it was cut off at the length limit.</param>
/// <param name="Microbatch">Which microbatch of the step it is in, from 0.</param>
/// <param name="Predictor">Which predictor produced it, from 0.</param>
internal readonly record struct SequenceCount(int ActiveTokens, bool IsTruncated, int Microbatch = 0, int Predictor = 0);

/// <summary>
/// The factor of every sequence's summed token losses in the step loss. Computed from the whole optimizer step before its first microbatch, so that
/// Dapo, Cispo and DrGrpo give the same gradient for any split, Grpo and Gspo for any split in equal parts.
/// </summary>
internal sealed class LossNormalizer
{
    private readonly double[] _weights;

    private LossNormalizer(double[] weights, int activeTokens) => (_weights, ActiveTokens) = (weights, activeTokens);

    /// <summary>Trainable tokens of the step; those of masked truncated sequences do not count.</summary>
    public int ActiveTokens { get; }

    /// <summary>The factor of the sequence with this index in the step.</summary>
    public double WeightOf(int sequence) => _weights[sequence];

    /// <summary>Builds the factors of one optimizer step.</summary>
    public static LossNormalizer Create(PolicyLossOptions options, IReadOnlyList<SequenceCount> step)
    {
        if (options.Type == PolicyLossType.DrGrpo && options.MaxCompletionLength <= 0)
            throw new ArgumentException(
                $"{nameof(PolicyLossOptions)}.{nameof(options.MaxCompletionLength)} must be above 0 for {PolicyLossType.DrGrpo}: it divides the loss. " +
                "Set it to the completion limit of the rollouts.", nameof(options));
        var active = new int[step.Count];
        for (var i = 0; i < active.Length; i++) active[i] = options.MaskTruncated && step[i].IsTruncated ? 0 : step[i].ActiveTokens;
        var weights = options.NormalizePerPredictor ? PerPredictor(options, step, active) : Whole(options, step, active);
        return new LossNormalizer(weights, active.Sum());
    }

    private static double[] Whole(PolicyLossOptions options, IReadOnlyList<SequenceCount> step, int[] active)
    {
        var microbatches = step.Count == 0 ? 0 : step.Max(count => count.Microbatch) + 1;
        var sequences = new int[microbatches];
        var tokens = new int[microbatches];
        for (var i = 0; i < active.Length; i++)
        {
            sequences[step[i].Microbatch]++;
            tokens[step[i].Microbatch] += active[i];
        }
        var used = sequences.Count(count => count > 0);
        var allTokens = Math.Max(1, active.Sum());
        var weights = new double[active.Length];
        for (var i = 0; i < weights.Length; i++)
        {
            var microbatch = step[i].Microbatch;
            weights[i] = 1 / options.Type switch
            {
                PolicyLossType.Grpo or PolicyLossType.Gspo => (double)sequences[microbatch] * used * Math.Max(1, active[i]),
                PolicyLossType.Bnpo => (double)Math.Max(1, tokens[microbatch]) * used,
                PolicyLossType.DrGrpo => (double)active.Length * options.MaxCompletionLength,
                _ => allTokens,
            };
        }
        return weights;
    }

    // Every predictor's share of the loss is 1/P of what it would be alone; all counts are those of the whole step.
    private static double[] PerPredictor(PolicyLossOptions options, IReadOnlyList<SequenceCount> step, int[] active)
    {
        var sequences = new Dictionary<int, int>();
        var tokens = new Dictionary<int, int>();
        for (var i = 0; i < active.Length; i++)
        {
            var predictor = step[i].Predictor;
            sequences[predictor] = sequences.GetValueOrDefault(predictor) + 1;
            tokens[predictor] = tokens.GetValueOrDefault(predictor) + active[i];
        }
        var weights = new double[active.Length];
        for (var i = 0; i < weights.Length; i++)
        {
            var predictor = step[i].Predictor;
            weights[i] = 1 / (sequences.Count * options.Type switch
            {
                PolicyLossType.Grpo or PolicyLossType.Gspo => (double)sequences[predictor] * Math.Max(1, active[i]),
                PolicyLossType.DrGrpo => (double)sequences[predictor] * options.MaxCompletionLength,
                _ => Math.Max(1, tokens[predictor]),
            });
        }
        return weights;
    }
}

/// <summary>
/// The same factors for a step whose sequences are not all known yet: each one's own part at once, and at the end what the whole step is divided by. Only
/// where that is one number, which it is not when predictors are weighed apart (<see cref="PolicyLossOptions.NormalizePerPredictor"/>).
/// </summary>
internal sealed class GradualNormalizer(PolicyLossOptions options)
{
    private long sequences;
    private long tokens;

    /// <summary>What the sum over all sequences so far has to be divided by.</summary>
    public double Divisor => Math.Max(1, options.Type is PolicyLossType.Grpo or PolicyLossType.Gspo or PolicyLossType.DrGrpo ? sequences : tokens);

    /// <summary>Counts one more sequence and returns its own part of its factor.</summary>
    public double Add(SequenceCount sequence)
    {
        var active = options.MaskTruncated && sequence.IsTruncated ? 0 : sequence.ActiveTokens;
        (sequences, tokens) = (sequences + 1, tokens + active);
        return options.Type switch
        {
            PolicyLossType.Grpo or PolicyLossType.Gspo => 1.0 / Math.Max(1, active),
            PolicyLossType.DrGrpo => 1.0 / options.MaxCompletionLength,
            _ => 1,
        };
    }
}
