namespace Hone.Optimizers;

/// <summary>Takes a program, returns a better one with the evidence. The program passed in stays as it is.</summary>
public interface IOptimizer<TIn, TOut>
{
    /// <summary>A short name for reports and run directories, e.g. <c>gepa</c>.</summary>
    string Name { get; }

    /// <summary>Optimizes the program.</summary>
    /// <param name="program">What to improve.</param>
    /// <param name="train">Examples to learn from.</param>
    /// <param name="validation">Examples that choose the best; null leaves it to the optimizer.</param>
    /// <param name="cancellationToken">Abandons the run.</param>
    /// <exception cref="HoneException">The data, the program or the options do not fit.</exception>
    Task<OptimizationResult<TIn, TOut>> CompileAsync(
        Program<TIn, TOut> program,
        IReadOnlyList<Example<TIn, TOut>> train,
        IReadOnlyList<Example<TIn, TOut>>? validation = null,
        CancellationToken cancellationToken = default);
}
