namespace Hone.Optimizers;

/// <summary>
/// Which winners of steps are scored in full: as many as the estimate allows, spread over the steps. A place that a step without a winner leaves free goes
/// to the next winner; places that are free in the end go to winners that were passed over. So a gain is never lost while there is a place for it, and a
/// search that a budget cuts off has scored what it found.
/// </summary>
/// <param name="steps">Steps of the search.</param>
/// <param name="candidates">Winners that are scored at most.</param>
internal sealed class SimbaWinners<TIn, TOut>(int steps, int candidates)
{
    private readonly List<SearchCandidate<TIn, TOut>> passedOver = [];
    private int scored;

    /// <summary>How many winners are scored at most.</summary>
    public static int Places(int steps, int candidates) => Math.Min(steps, candidates);

    /// <summary>Takes the winner of a step, from 1; gives it back when it is to be scored now.</summary>
    public SearchCandidate<TIn, TOut>? Add(SearchCandidate<TIn, TOut> winner, int step)
    {
        if (scored < step * Places(steps, candidates) / steps)
        {
            scored++;
            return winner;
        }

        passedOver.Add(winner);
        return null;
    }

    /// <summary>Those that were passed over and have a place after all, the earliest first.</summary>
    public SearchCandidate<TIn, TOut>[] Rest() => [.. passedOver.Take(Places(steps, candidates) - scored)];
}
