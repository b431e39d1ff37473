namespace Hone.Optimizers;

/// <summary>What <see cref="Copro{TIn,TOut}"/> asks for first: another wording.</summary>
/// <param name="CurrentInstructions">The instructions in effect.</param>
public sealed record InstructionIdeaRequest(string CurrentInstructions);

/// <summary>What <see cref="Copro{TIn,TOut}"/> asks for later: something better than what was tried.</summary>
/// <param name="Attempts">Instructions with their scores, the best one last.</param>
public sealed record InstructionAttemptsRequest(string Attempts);

internal static class CoproTexts
{
    public const string Idea =
        """
        You improve the instructions that language models are given. Below is what a model is told to do now.
        Write instructions that make a good model do this task better. Feel free to take quite another approach: be bold and inventive, but keep to the task.
        """;

    public const string Attempts =
        """
        You improve the instructions that language models are given. Below are instructions that were tried for one task, each with the score that it
        reached. They are in order of their scores, the worst first and the best last; a higher score is better.
        Work out what made the better ones better, and write instructions that will score higher than all of them. Be inventive.
        """;
}
