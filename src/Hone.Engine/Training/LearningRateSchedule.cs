namespace Hone.Engine;

/// <summary>Shape of the learning rate over a run.</summary>
public enum LearningRateScheduleKind
{
    /// <summary>1 throughout; warm-up is ignored.</summary>
    Constant,

    /// <summary>Rises linearly from 0 over the warm-up, then 1. Its first step is a no-op, also without warm-up.</summary>
    ConstantWithWarmup,

    /// <summary>After warm-up falls linearly to 0 at the last step.</summary>
    Linear,

    /// <summary>After warm-up falls along half a cosine to 0 at the last step.</summary>
    Cosine,
}

/// <summary>The factor on the learning rate at each optimizer step.</summary>
/// <param name="Kind">The shape.</param>
/// <param name="WarmupSteps">Steps of linear rise from 0.</param>
/// <param name="TotalSteps">Steps of the run.</param>
public sealed record LearningRateSchedule(LearningRateScheduleKind Kind, int WarmupSteps, int TotalSteps)
{
    /// <summary>The factor at a step, counted from 0.</summary>
    public double Multiplier(int step)
    {
        if (Kind == LearningRateScheduleKind.Constant) return 1;
        if (Kind == LearningRateScheduleKind.ConstantWithWarmup) return Math.Min(1, step / (double)Math.Max(1, WarmupSteps));
        if (step < WarmupSteps) return step / (double)WarmupSteps;
        var decaySteps = Math.Max(1, TotalSteps - WarmupSteps);
        return Kind switch
        {
            LearningRateScheduleKind.Linear => Math.Max(0, (TotalSteps - step) / (double)decaySteps),
            LearningRateScheduleKind.Cosine => 0.5 * (1 + Math.Cos(Math.PI * (step - WarmupSteps) / decaySteps)),
            _ => throw new InvalidOperationException($"There is no learning rate schedule '{Kind}'."),
        };
    }
}
