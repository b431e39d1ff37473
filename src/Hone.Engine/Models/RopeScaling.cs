using System.Text.Json.Nodes;

namespace Hone.Engine;

/// <summary>How the rotary frequencies of a model are changed for contexts longer than those that it was first trained on: <c>rope_scaling</c> of a <c>config.json</c>.</summary>
public abstract record RopeScaling
{
    private protected RopeScaling(double factor, int originalMaxPositions) => (Factor, OriginalMaxPositions) = (factor, originalMaxPositions);

    /// <summary>By how much the frequencies that are stretched are divided; at least 1.</summary>
    public double Factor { get; init; }

    /// <summary>Context length of the unscaled model, in tokens.</summary>
    public int OriginalMaxPositions { get; init; }

    /// <summary>Context length that the scaling itself gives, in tokens; 0 where it leaves that to the configuration.</summary>
    public virtual int ExtendedPositions => (int)Math.Min(int.MaxValue, Math.Floor(OriginalMaxPositions * Factor));

    /// <summary>The section of <c>config.json</c>.</summary>
    internal JsonObject ToJson()
    {
        var section = new JsonObject { ["rope_type"] = TypeName, ["factor"] = Factor };
        Write(section);
        section["original_max_position_embeddings"] = OriginalMaxPositions;
        return section;
    }

    private protected abstract string TypeName { get; }

    private protected virtual void Write(JsonObject section)
    {
    }
}

/// <summary>The <c>linear</c> scaling: every position, and so every frequency, is divided by the factor.</summary>
/// <param name="Factor">The divisor; at least 1.</param>
/// <param name="OriginalMaxPositions">Context length of the unscaled model, in tokens; times the factor it is that of the scaled one.</param>
public sealed record LinearRopeScaling(double Factor, int OriginalMaxPositions) : RopeScaling(Factor, OriginalMaxPositions)
{
    private protected override string TypeName => "linear";
}

/// <summary>The <c>llama3</c> scaling: long wavelengths are stretched, short ones kept, those between blended.</summary>
/// <param name="Factor">By how much frequencies of long wavelength are divided; at least 1.</param>
/// <param name="LowFrequencyFactor">
/// Wavelengths above <c>OriginalMaxPositions / LowFrequencyFactor</c> are divided by <paramref name="Factor"/>.
/// </param>
/// <param name="HighFrequencyFactor">Wavelengths below <c>OriginalMaxPositions / HighFrequencyFactor</c> are kept.</param>
/// <param name="OriginalMaxPositions">Context length of the unscaled model, in tokens; that of the scaled one stands in the configuration.</param>
public sealed record Llama3RopeScaling(double Factor, double LowFrequencyFactor, double HighFrequencyFactor, int OriginalMaxPositions)
    : RopeScaling(Factor, OriginalMaxPositions)
{
    /// <inheritdoc />
    public override int ExtendedPositions => 0;

    private protected override string TypeName => "llama3";

    private protected override void Write(JsonObject section)
    {
        section["low_freq_factor"] = LowFrequencyFactor;
        section["high_freq_factor"] = HighFrequencyFactor;
    }
}

/// <summary>
/// The <c>yarn</c> scaling (Peng et al. 2023): pairs of channels that turn often within the original context keep their frequency, those that turn seldom are
/// divided by the factor, those between are blended; cosines and sines are multiplied, so that attention stays as sharp.
/// </summary>
/// <param name="Factor">By how much low frequencies are divided; at least 1.</param>
/// <param name="OriginalMaxPositions">Context length of the unscaled model, in tokens; times the factor it is that of the scaled one.</param>
public sealed record YarnRopeScaling(double Factor, int OriginalMaxPositions) : RopeScaling(Factor, OriginalMaxPositions)
{
    /// <summary>Pairs of channels with at least so many turns in the original context keep their frequency.</summary>
    public double BetaFast { get; init; } = 32;

    /// <summary>Pairs of channels with at most so many turns in the original context are divided by the factor.</summary>
    public double BetaSlow { get; init; } = 1;

    /// <summary>What cosines and sines are multiplied by; null for <c>0.1 ln(Factor) + 1</c>.</summary>
    public double? AttentionFactor { get; init; }

    /// <summary>Whether the blend begins and ends at whole pairs of channels.</summary>
    public bool Truncate { get; init; } = true;

    private protected override string TypeName => "yarn";

    private protected override void Write(JsonObject section)
    {
        section["beta_fast"] = BetaFast;
        section["beta_slow"] = BetaSlow;
        if (AttentionFactor is { } attention) section["attention_factor"] = attention;
        if (!Truncate) section["truncate"] = false;
    }
}
