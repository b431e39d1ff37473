namespace Hone.Engine;

/// <summary>Rotary frequencies of a model: θ^(−2i / head width), with the <c>llama3</c> scaling by wavelength if the model has it.</summary>
internal static class RopeFrequencies
{
    public static double[] For(ModelConfig config)
    {
        var frequencies = new double[config.HeadWidth / 2];
        for (var i = 0; i < frequencies.Length; i++)
        {
            var frequency = Math.Pow(config.RopeTheta, -2.0 * i / config.HeadWidth);
            frequencies[i] = config.RopeScaling is { } scaling ? Scale(frequency, scaling) : frequency;
        }

        return frequencies;
    }

    private static double Scale(double frequency, RopeScaling scaling)
    {
        var wavelength = 2 * Math.PI / frequency;
        if (wavelength > scaling.OriginalMaxPositions / scaling.LowFrequencyFactor) return frequency / scaling.Factor;
        if (wavelength < scaling.OriginalMaxPositions / scaling.HighFrequencyFactor) return frequency;
        var span = scaling.HighFrequencyFactor - scaling.LowFrequencyFactor;
        var kept = (scaling.OriginalMaxPositions / wavelength - scaling.LowFrequencyFactor) / span;
        return (1 - kept) * frequency / scaling.Factor + kept * frequency;
    }
}
