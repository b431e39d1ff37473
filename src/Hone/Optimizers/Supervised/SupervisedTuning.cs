namespace Hone.Optimizers;

/// <summary>
/// Supervised fine-tuning of a program's model on demonstrations of its predictors: the cross-entropy of the demonstrated answers behind the prompts that
/// the program itself would send. Teaches a format, or where reinforcement can start from.
/// </summary>
public sealed class SupervisedTuning<TIn, TOut>
{
    private readonly SupervisedOptions options;

    /// <summary>Creates the optimizer.</summary>
    public SupervisedTuning(SupervisedOptions? options = null) => this.options = options ?? new();

    /// <summary>Tunes the program's model. The program and its model stay as they are; the result holds a new program on new weights.</summary>
    /// <param name="program">What to tune. All predictors share its model, which must be trainable here.</param>
    /// <param name="demonstrations">What to imitate.</param>
    /// <param name="cancellationToken">Abandons the run.</param>
    /// <exception cref="HoneException">There is nothing to learn, the model cannot be trained, or its tokens are not known here.</exception>
    public async Task<SupervisedResult<TIn, TOut>> CompileAsync(
        Program<TIn, TOut> program, IReadOnlyList<Demonstration> demonstrations, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(demonstrations);
        if (demonstrations.Count == 0)
            throw new HoneException("There are no demonstrations to learn from.");
        var model = program.Model ?? throw new HoneException("The program has no model. Set one with WithModel.");
        SupervisedItem[] items = [.. demonstrations.Select(demonstration =>
            new SupervisedItem(demonstration.Predictor, program.Render(demonstration.Predictor, demonstration.Inputs), demonstration.Completion))];
        var outcome = await new SupervisedTrainer(options).TrainAsync(model, items, cancellationToken).ConfigureAwait(false);
        return new(program.WithModel(outcome.Model), outcome.Losses, outcome.Tokens);
    }
}
