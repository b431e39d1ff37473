namespace Hone.Optimizers;

/// <summary>A run to look at: one under way, or one in a directory.</summary>
internal interface IRunSource
{
    bool IsLive { get; }

    RunFeed Feed { get; }

    StatusMessage Status { get; }

    /// <summary>Steps whose rollouts are there, in order.</summary>
    IReadOnlyList<int> Steps { get; }

    /// <summary>A step's rollouts; null when they are not there.</summary>
    ValueTask<StepRollouts?> RolloutsOfAsync(int step, CancellationToken cancellationToken = default);

    /// <summary>One rollout; null when it is not there.</summary>
    ValueTask<RolloutView?> RolloutAsync(int step, int position, CancellationToken cancellationToken = default);

    /// <summary>Validation examples before and after; null when there are none.</summary>
    AnswerPage? Answers(AnswerQuery query);
}
