namespace Hone.Reinforcement;

/// <summary>How the learning rate changes over a run.</summary>
public enum ScheduleKind
{
    /// <summary>Always the full rate.</summary>
    Constant,

    /// <summary>Linear from 0 over the warm-up steps, then the full rate. Step 0 learns nothing, also without a warm-up.</summary>
    ConstantWithWarmup,

    /// <summary>Warm-up, then linear to 0 at the last step.</summary>
    Linear,

    /// <summary>Warm-up, then half a cosine to 0 at the last step.</summary>
    Cosine,
}

/// <summary>The learning rate's multiplier by step.</summary>
public static class LearningRateSchedule
{
    /// <summary>Multiplier, from 0 to 1, at an optimizer step.</summary>
    /// <param name="kind">The schedule.</param>
    /// <param name="step">Optimizer step, from 0.</param>
    /// <param name="warmupSteps">Steps of the warm-up.</param>
    /// <param name="totalSteps">Steps of the run.</param>
    public static double Multiplier(ScheduleKind kind, int step, int warmupSteps, int totalSteps)
    {
        if (kind == ScheduleKind.Constant)
            return 1;
        if (kind == ScheduleKind.ConstantWithWarmup)
            return Math.Min(1, step / (double)Math.Max(1, warmupSteps));
        if (step < warmupSteps)
            return step / (double)warmupSteps;
        var decaySteps = Math.Max(1, totalSteps - warmupSteps);
        return kind == ScheduleKind.Linear
            ? Math.Max(0, (totalSteps - step) / (double)decaySteps)
            : 0.5 * (1 + Math.Cos(Math.PI * (step - warmupSteps) / decaySteps));
    }
}
