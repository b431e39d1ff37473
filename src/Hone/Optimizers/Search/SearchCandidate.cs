using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>A program that a search tries.</summary>
/// <param name="Program">The program with its state.</param>
/// <param name="Key">Equal for equal programs and states, different for others.</param>
/// <param name="Origin">How it was made, in words.</param>
internal sealed record SearchCandidate<TIn, TOut>(Program<TIn, TOut> Program, string Key, string Origin)
{
    public ImmutableArray<int> Parents { get; init; } = [];

    public ImmutableSortedDictionary<string, string> Notes { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public ProgramState State => Program.State;

    /// <summary>A run of it on an example.</summary>
    public RunRequest<TIn, TOut> On(SearchSet<TIn, TOut> set, int index) => new(Program, Key, set, index);
}

/// <summary>A candidate's runs on a part of a set.</summary>
internal sealed record SearchScore<TIn, TOut>(SearchCandidate<TIn, TOut> Candidate, IReadOnlyList<RunRecord> Runs)
{
    public IReadOnlyList<double> Scores { get; } = [.. Runs.Select(run => run.Score.Value)];

    public double Mean { get; } = Runs.Average(run => run.Score.Value);

    public double Sum { get; } = Runs.Sum(run => run.Score.Value);

    public Usage Usage => Runs.Aggregate(default(Usage), (sum, run) => sum + run.Usage);

    /// <summary>Means of the score's named parts, over the runs that report them.</summary>
    public ImmutableSortedDictionary<string, double> Parts => Runs.SelectMany(run => run.Score.Parts)
        .GroupBy(part => part.Key, StringComparer.Ordinal)
        .ToImmutableSortedDictionary(part => part.Key, part => part.Average(entry => entry.Value), StringComparer.Ordinal);
}
