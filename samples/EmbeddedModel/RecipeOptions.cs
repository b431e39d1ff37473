namespace EmbeddedModel;

/// <summary>What the recipe is asked for.</summary>
internal sealed record RecipeOptions
{
    /// <summary>Decides the weights' start, the worlds and the order of lessons.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Tokens of the first phase, in millions.</summary>
    public double LearnTokens { get; init; } = 30;

    /// <summary>Tokens of the second phase, in millions.</summary>
    public double DeepenTokens { get; init; } = 25;

    /// <summary>Tokens of the second phase that the checkpoint in <see cref="Work"/> has already seen, in millions: to go on after an interruption.</summary>
    public double DeepenSeen { get; init; }

    /// <summary>Tokens of the last phase, in millions.</summary>
    public double FinishTokens { get; init; } = 2;

    /// <summary>Longest phase; when it is shorter than the tokens need, the learning rate falls in time.</summary>
    public TimeSpan TimeLimit { get; init; } = TimeSpan.FromHours(6);

    /// <summary>Threads.</summary>
    public int Workers { get; init; } = Environment.ProcessorCount;

    /// <summary>Where the finished model goes.</summary>
    public string Output { get; init; } = Path.Combine("src", "Hone.Engine", "Embedded");

    /// <summary>Where the first two phases leave their checkpoints.</summary>
    public string Work { get; init; } = Path.Combine("runs", "embedded-model");

    /// <summary>Where to begin; a later phase starts from the checkpoint in <see cref="Work"/>.</summary>
    public RecipePhase StartAt { get; init; }

    /// <summary>Claims in the evaluation of the result.</summary>
    public int EvaluationClaims { get; init; } = 150;
}

/// <summary>The phases of the recipe in order.</summary>
internal enum RecipePhase
{
    /// <summary>From random weights to the format and copying.</summary>
    Learn,

    /// <summary>Copying well.</summary>
    Deepen,

    /// <summary>Mediocre on purpose.</summary>
    Finish,
}
