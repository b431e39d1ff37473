namespace Hone.Engine.Tests.Models;

public sealed class AdamWTests
{
    [Fact]
    public void Update_LongGradient_IsClippedAndNormsDoNotDecay()
    {
        using var weights = TinyModels.Weights(ModelFamily.Qwen2);
        using var optimizer = new AdamW(weights, new AdamWOptions { WeightDecay = 0.5, MaxGradientNorm = 1 });
        var before = weights.Values.ToArray();
        var gradient = new float[before.Length];
        Assert.Equal(0, optimizer.Update(gradient, 0.1));
        var norm = weights.Tensor(ParameterNames.FinalNorm).Offset;
        Assert.Equal(before[norm], weights.Values[norm]);
        Assert.Equal(before[0] * 0.95f, weights.Values[0], 1e-6f);

        Array.Fill(gradient, 2f);
        Assert.Equal(2 * Math.Sqrt(gradient.Length), optimizer.Update(gradient, 0.1), 1e-2);
        var clipped = 2 / (2 * Math.Sqrt(gradient.Length) + 1e-6);
        Assert.Equal(0.1 * clipped, optimizer.FirstMoments[5], 1e-8);
        Assert.Equal(2, optimizer.Step);
    }
}
