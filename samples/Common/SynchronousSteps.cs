using Hone.Optimizers;

namespace SampleCommon;

/// <summary>Prints every fiftieth step of supervised tuning, and the last.</summary>
public sealed class SynchronousSteps : IProgress<SupervisedProgress>
{
    /// <inheritdoc/>
    public void Report(SupervisedProgress value)
    {
        if (value.Step % 50 == 0 || value.Step == value.Steps)
            Console.WriteLine(FormattableString.Invariant($"imitation {value.Step,4}/{value.Steps}  loss {value.Loss:0.000}"));
    }
}
