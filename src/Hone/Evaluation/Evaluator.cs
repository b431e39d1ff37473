using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Hone;

/// <summary>Makes evaluators without naming their types.</summary>
public static class Evaluator
{
    /// <summary>An evaluator for a metric.</summary>
    public static Evaluator<TIn, TOut> Create<TIn, TOut>(Metric<TIn, TOut> metric, EvaluatorOptions? options = null) => new(metric, options);
}

/// <summary>Scores programs on a set of examples, side by side and in order.</summary>
public sealed class Evaluator<TIn, TOut>
{
    private readonly Metric<TIn, TOut> metric;
    private readonly EvaluatorOptions options;

    /// <summary>Creates an evaluator.</summary>
    public Evaluator(Metric<TIn, TOut> metric, EvaluatorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(metric);
        this.metric = metric;
        this.options = options ?? new();
    }

    /// <summary>Runs the program on every example and scores it.</summary>
    /// <exception cref="HoneException">The set is empty.</exception>
    /// <exception cref="EvaluationStoppedException{TIn,TOut}">
    /// More examples failed than <see cref="EvaluatorOptions.MaxErrors"/>; it holds the rows that are done.
    /// </exception>
    /// <exception cref="EvaluationCanceledException{TIn,TOut}">The evaluation was cancelled; it holds the rows that are done.</exception>
    public Task<EvaluationResult<TIn, TOut>> EvaluateAsync(
        Program<TIn, TOut> program, IReadOnlyList<Example<TIn, TOut>> examples, CancellationToken cancellationToken = default) =>
        RunAsync(program, examples, null, null, null, cancellationToken);

    /// <summary>Goes on with an evaluation that was stopped: rows without an error are taken as they are, all other examples are run.</summary>
    /// <param name="program">The program.</param>
    /// <param name="examples">The same set as before.</param>
    /// <param name="finished">What was done before, from the exception that stopped it.</param>
    /// <param name="cancellationToken">Stops everything.</param>
    /// <exception cref="HoneException">A finished row belongs to another example than the set has in its place.</exception>
    /// <exception cref="EvaluationStoppedException{TIn,TOut}">More examples failed than <see cref="EvaluatorOptions.MaxErrors"/>.</exception>
    /// <exception cref="EvaluationCanceledException{TIn,TOut}">The evaluation was cancelled.</exception>
    public Task<EvaluationResult<TIn, TOut>> ContinueAsync(
        Program<TIn, TOut> program,
        IReadOnlyList<Example<TIn, TOut>> examples,
        EvaluationResult<TIn, TOut> finished,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(finished);
        return RunAsync(program, examples, finished, null, null, cancellationToken);
    }

    /// <summary>
    /// Scores a program and writes each row into a file as soon as it is done, a line of JSON each; when the file has rows already, goes on from them. So a
    /// job that is started again after a crash pays for nothing twice. Rows that failed, and those whose value cannot be read back, are run again.
    /// </summary>
    /// <param name="program">The program; the same as before.</param>
    /// <param name="examples">The set; the same as before. Rows belong to an example by its position and its values.</param>
    /// <param name="rowsFile">The file; it need not exist.</param>
    /// <param name="cancellationToken">Stops everything; what is done is in the file.</param>
    /// <exception cref="HoneException">The set is empty, or the file is of another set or program, or damaged.</exception>
    /// <exception cref="EvaluationStoppedException{TIn,TOut}">More examples failed than <see cref="EvaluatorOptions.MaxErrors"/>.</exception>
    /// <exception cref="EvaluationCanceledException{TIn,TOut}">The evaluation was cancelled.</exception>
    /// <remarks>Rows from the file have no trace; the metric is not asked again about them, so use one file with one metric.</remarks>
    public async Task<EvaluationResult<TIn, TOut>> ContinueAsync(
        Program<TIn, TOut> program, IReadOnlyList<Example<TIn, TOut>> examples, string rowsFile, CancellationToken cancellationToken = default)
    {
        Check(program, examples);
        var (file, finished) = EvaluationRowFile<TIn, TOut>.Open(rowsFile, program, examples);
        using (file)
            return await RunAsync(program, examples, finished, null, file, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Runs the program on every example and gives each row as soon as it is done, in the order of finishing (<see cref="EvaluationRow{TIn,TOut}.Index"/>
    /// is the place in the set). Leaving the loop early stops the evaluation.
    /// </summary>
    /// <exception cref="HoneException">The set is empty.</exception>
    /// <exception cref="EvaluationStoppedException{TIn,TOut}">More examples failed than <see cref="EvaluatorOptions.MaxErrors"/>.</exception>
    /// <exception cref="EvaluationCanceledException{TIn,TOut}">The evaluation was cancelled.</exception>
    public async IAsyncEnumerable<EvaluationRow<TIn, TOut>> StreamAsync(
        Program<TIn, TOut> program, IReadOnlyList<Example<TIn, TOut>> examples, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var channel = Channel.CreateUnbounded<EvaluationRow<TIn, TOut>>(new() { SingleReader = true });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var run = FillAsync(program, examples, channel.Writer, stop.Token);
        try
        {
            await foreach (var row in channel.Reader.ReadAllAsync(CancellationToken.None).ConfigureAwait(false))
                yield return row;
            await run.ConfigureAwait(false);
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await ((Task)run).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>
    /// Scores two programs on the same examples with the same seeds, one after the other, and says with what certainty one is better: pairs of scores are
    /// compared, which removes what both share.
    /// </summary>
    /// <exception cref="HoneException">The set is empty.</exception>
    /// <exception cref="EvaluationStoppedException{TIn,TOut}">More examples of one program failed than <see cref="EvaluatorOptions.MaxErrors"/>.</exception>
    /// <exception cref="EvaluationCanceledException{TIn,TOut}">The evaluation was cancelled.</exception>
    public async Task<ProgramComparison<TIn, TOut>> CompareAsync(
        Program<TIn, TOut> baseline, Program<TIn, TOut> candidate, IReadOnlyList<Example<TIn, TOut>> examples, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(candidate);
        var before = await EvaluateAsync(baseline, examples, cancellationToken).ConfigureAwait(false);
        var after = await EvaluateAsync(candidate, examples, cancellationToken).ConfigureAwait(false);
        return new(before, after, Bootstrap.Compare(before.Scores, after.Scores, options.Seed ?? 0));
    }

    private async Task<EvaluationResult<TIn, TOut>> FillAsync(
        Program<TIn, TOut> program,
        IReadOnlyList<Example<TIn, TOut>> examples,
        ChannelWriter<EvaluationRow<TIn, TOut>> rows,
        CancellationToken cancellationToken)
    {
        try
        {
            return await RunAsync(program, examples, null, rows, null, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            rows.Complete();
        }
    }

    private async Task<EvaluationResult<TIn, TOut>> RunAsync(
        Program<TIn, TOut> program,
        IReadOnlyList<Example<TIn, TOut>> examples,
        EvaluationResult<TIn, TOut>? finished,
        ChannelWriter<EvaluationRow<TIn, TOut>>? sink,
        EvaluationRowFile<TIn, TOut>? file,
        CancellationToken cancellationToken)
    {
        Check(program, examples);
        var run = new EvaluationRun<TIn, TOut>(program, examples, metric, options, finished, sink, file);
        return Observation.IsOn(HoneScope.Current) || !program.Observers.IsEmpty
            ? await Observation.RunAsync(
                CallKind.Evaluation, program.Module.GetType().Name, examples, () => run.RunAsync(cancellationToken), further: program.Observers).ConfigureAwait(false)
            : await run.RunAsync(cancellationToken).ConfigureAwait(false);
    }

    private static void Check(Program<TIn, TOut> program, IReadOnlyList<Example<TIn, TOut>> examples)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(examples);
        if (examples.Count == 0)
            throw new HoneException("There is nothing to evaluate: the set of examples is empty.");
    }
}
