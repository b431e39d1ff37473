namespace Hone.Optimizers;

/// <summary>Settings of <see cref="Simba{TIn,TOut}"/>.</summary>
public sealed record SimbaOptions : OptimizerOptions
{
    /// <summary>Examples a step.</summary>
    /// <value>32 by default.</value>
    public int BatchSize
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(BatchSize)); field = value; }
    } = 32;

    /// <summary>Samples of each example in a step, and new candidates of a step less one.</summary>
    /// <value>6 by default.</value>
    public int Candidates
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(Candidates)); field = value; }
    } = 6;

    /// <summary>Steps.</summary>
    /// <value>8 by default.</value>
    public int MaxSteps
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxSteps)); field = value; }
    } = 8;

    /// <summary>Demos that a predictor may keep over time; 0 adds rules only.</summary>
    /// <value>4 by default.</value>
    public int MaxDemos
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(MaxDemos)); field = value; }
    } = 4;

    /// <summary>Longest input text of a demo, in characters; longer ones are cut and marked.</summary>
    /// <value>100,000 by default.</value>
    public int MaxDemoInputLength
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxDemoInputLength)); field = value; }
    } = 100_000;

    /// <summary>How evenly programs are drawn for sampling, in units of score: near 0 always takes the best.</summary>
    /// <value>0.2 by default.</value>
    public double SamplingTemperature
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(SamplingTemperature)); field = value; }
    } = 0.2;

    /// <summary>As <see cref="SamplingTemperature"/>, for the program that a new candidate is made from.</summary>
    /// <value>0.2 by default.</value>
    public double CandidateTemperature
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value, nameof(CandidateTemperature)); field = value; }
    } = 0.2;

    /// <summary>
    /// Instructions that advice has made longer than this are rewritten as a shorter text that keeps their rules, in tokens of four characters; see
    /// <see cref="Simba{TIn,TOut}.Consolidator"/>.
    /// </summary>
    /// <value>Null by default: instructions only grow.</value>
    public int? MaxInstructionTokens
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value ?? 1, 1, nameof(MaxInstructionTokens)); field = value; }
    }

    /// <summary>Writes the advice; the program's own model when null.</summary>
    public LM? PromptModel { get; init; }

    /// <summary>A stronger model that makes one sample of every example; null samples from the program's model alone.</summary>
    public LM? TeacherModel { get; init; }

    internal override string Describe() => base.Describe() + FormattableString.Invariant(
        $"; batch={BatchSize}; candidates={Candidates}; steps={MaxSteps}; demos={MaxDemos}; length={MaxDemoInputLength}; temperatures={SamplingTemperature}/{CandidateTemperature}")
        + FormattableString.Invariant($"; prompt={ProgramParts.Identity(PromptModel)}; teacher={ProgramParts.Identity(TeacherModel)}")
        + (MaxInstructionTokens is null ? string.Empty : FormattableString.Invariant($"; tokens={MaxInstructionTokens}"));
}
