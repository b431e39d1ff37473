using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>Settings of <see cref="SupervisedTuning{TIn,TOut}"/>.</summary>
public sealed record SupervisedOptions
{
    /// <summary>How often every demonstration is learned.</summary>
    /// <value>3 by default.</value>
    public int Epochs
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(Epochs)); field = value; }
    } = 3;

    /// <summary>Demonstrations an optimizer step.</summary>
    /// <value>16 by default.</value>
    public int BatchSize
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(BatchSize)); field = value; }
    } = 16;

    /// <summary>Highest learning rate.</summary>
    /// <value>1e-4 by default.</value>
    public double LearningRate { get; init; } = 1e-4;

    /// <summary>How the learning rate changes over the run.</summary>
    /// <value>Cosine by default.</value>
    public ScheduleKind Schedule { get; init; } = ScheduleKind.Cosine;

    /// <summary>Share of the steps in which the learning rate rises.</summary>
    /// <value>0.05 by default.</value>
    public double WarmupShare { get; init; } = 0.05;

    /// <summary>AdamW settings; the learning rate in it is replaced by the schedule's.</summary>
    public OptimizerStepOptions Optimizer { get; init; } = new() { LearningRate = 0 };

    /// <summary>Trains an adapter of this shape; null trains all weights.</summary>
    public LoraOptions? Lora { get; init; }

    /// <summary>Seed of the order of the demonstrations and of an adapter's first values.</summary>
    public long Seed { get; init; }

    /// <summary>Told after every step.</summary>
    public IProgress<SupervisedProgress>? Progress { get; init; }
}

/// <summary>How far supervised tuning is.</summary>
/// <param name="Step">Optimizer steps done.</param>
/// <param name="Steps">Optimizer steps of the run.</param>
/// <param name="Loss">Mean of -log p over the step's completion tokens, in nats, before the step.</param>
public readonly record struct SupervisedProgress(int Step, int Steps, double Loss);

/// <summary>What supervised tuning returns.</summary>
/// <param name="Program">The program on the tuned weights.</param>
/// <param name="Losses">Mean of -log p a completion token, in nats, step by step.</param>
/// <param name="Tokens">Completion tokens learned.</param>
public sealed record SupervisedResult<TIn, TOut>(Program<TIn, TOut> Program, IReadOnlyList<double> Losses, long Tokens);
