using Hone.Engine.Tests.Generation;

namespace Hone.Engine.Tests.Training;

/// <summary>Gradients of sequences longer than any tile of the kernels, against central differences of the loss along random directions.</summary>
public sealed class LongSequenceGradientTests
{
    [Theory]
    [InlineData(40, false)]
    [InlineData(200, false)]
    [InlineData(200, true)]
    [InlineData(300, true)]
    public void Backward_LongSequences_MatchCentralDifferences(int length, bool sharesPrefixes)
    {
        using var weights = ParameterSet.CreateRandom(SmallModel.Config, 3);
        using var model = new TrainingModel(weights, laneCount: 2);
        var random = new Random(7);
        var shared = Enumerable.Range(0, length / 2).Select(_ => random.Next(SmallModel.Config.VocabularySize)).ToArray();
        SupervisedSequence[] sequences = [.. Enumerable.Range(0, 4).Select(i => new SupervisedSequence(
            [.. sharesPrefixes ? shared : [], .. Enumerable.Range(0, sharesPrefixes ? length / 2 : length).Select(_ => random.Next(SmallModel.Config.VocabularySize))], 1))];
        model.ZeroGradients();
        SupervisedPass.Run(model, sequences, workers: 2);
        var gradient = model.SumGradients().ToArray();
        foreach (var tensor in weights.Tensors)
        {
            var values = weights.Slice(tensor);
            var slope = gradient.AsSpan(tensor.Offset, tensor.Length);
            var norm = Math.Sqrt(slope.ToArray().Sum(value => (double)value * value));
            if (norm < 1e-6)
                continue;

            // Along the gradient itself the loss changes by its norm: one number checks the whole tensor.
            var direction = slope.ToArray().Select(value => (float)(value / norm)).ToArray();
            var step = 2e-4f;
            var original = values.ToArray();
            double LossAt(float distance)
            {
                for (var i = 0; i < direction.Length; i++)
                    weights.Slice(tensor)[i] = original[i] + (distance * direction[i]);
                model.Repack();
                model.ZeroGradients();
                return SupervisedPass.Run(model, sequences, workers: 2);
            }

            var measured = (LossAt(step) - LossAt(-step)) / (2 * step);
            original.CopyTo(weights.Slice(tensor));
            Assert.True(Math.Abs(measured - norm) <= 0.03 * norm + 1e-2, $"{tensor.Name}: gradient norm {norm}, measured {measured}");
        }
    }
}
