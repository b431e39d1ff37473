namespace Hone.Engine;

/// <summary>Rotary frequencies of a model: θ^(−2i / head width), scaled as its configuration says.</summary>
internal static class RopeFrequencies
{
    /// <summary>Cosines and sines for a model.</summary>
    public static RotaryTable TableOf(ModelConfig config) => new(For(config), AttentionFactor(config));

    /// <summary>Radians per position of every pair of channels.</summary>
    public static double[] For(ModelConfig config)
    {
        var frequencies = new double[config.HeadWidth / 2];
        for (var i = 0; i < frequencies.Length; i++) frequencies[i] = Math.Pow(config.RopeTheta, -2.0 * i / config.HeadWidth);
        for (var i = 0; i < frequencies.Length; i++)
        {
            frequencies[i] = config.RopeScaling switch
            {
                LinearRopeScaling linear => frequencies[i] / linear.Factor,
                Llama3RopeScaling llama => Scale(frequencies[i], llama),
                YarnRopeScaling yarn => Blend(frequencies[i], yarn.Factor, KeptOf(i, yarn, config)),
                _ => frequencies[i],
            };
        }

        return frequencies;
    }

    /// <summary>What cosines and sines are multiplied by.</summary>
    public static double AttentionFactor(ModelConfig config) =>
        config.RopeScaling is YarnRopeScaling yarn ? yarn.AttentionFactor ?? YarnAttention(yarn.Factor, 1) : 1;

    /// <summary>The factor that keeps attention as sharp over a context that is <paramref name="factor"/> times as long.</summary>
    public static double YarnAttention(double factor, double strength) => factor <= 1 ? 1 : 0.1 * strength * Math.Log(factor) + 1;

    private static double Scale(double frequency, Llama3RopeScaling scaling)
    {
        var wavelength = 2 * Math.PI / frequency;
        if (wavelength > scaling.OriginalMaxPositions / scaling.LowFrequencyFactor) return frequency / scaling.Factor;
        if (wavelength < scaling.OriginalMaxPositions / scaling.HighFrequencyFactor) return frequency;
        var span = scaling.HighFrequencyFactor - scaling.LowFrequencyFactor;
        return Blend(frequency, scaling.Factor, (scaling.OriginalMaxPositions / wavelength - scaling.LowFrequencyFactor) / span);
    }

    private static double Blend(double frequency, double factor, double kept) => (1 - kept) * frequency / factor + kept * frequency;

    // How much of its frequency the i-th pair keeps: 1 up to the pair that turns BetaFast times in the original context, 0 from the one that turns BetaSlow times.
    private static double KeptOf(int i, YarnRopeScaling yarn, ModelConfig config)
    {
        double first = PairThatTurns(yarn.BetaFast, yarn, config), last = PairThatTurns(yarn.BetaSlow, yarn, config);
        if (yarn.Truncate) (first, last) = (Math.Floor(first), Math.Ceiling(last));
        (first, last) = (Math.Max(first, 0), Math.Min(last, config.HeadWidth - 1));
        // A blend over no pair at all would divide by zero.
        var span = first == last ? 0.001 : last - first;
        return 1 - Math.Clamp((i - first) / span, 0, 1);
    }

    // A pair's angle after n positions is n θ^(−2i / width); so many turns are 2π times as many radians.
    private static double PairThatTurns(double turns, YarnRopeScaling yarn, ModelConfig config) =>
        config.HeadWidth * Math.Log(yarn.OriginalMaxPositions / (turns * 2 * Math.PI)) / (2 * Math.Log(config.RopeTheta));
}
