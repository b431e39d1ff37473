namespace Hone.Optimizers;

/// <summary>How much <see cref="MiproV2{TIn,TOut}"/> spends.</summary>
public enum MiproAuto
{
    /// <summary>6 demo sets, at most 100 examples that choose.</summary>
    Light,

    /// <summary>12 demo sets, at most 300 examples that choose.</summary>
    Medium,

    /// <summary>18 demo sets, at most 1000 examples that choose.</summary>
    Heavy,
}

/// <summary>Settings of <see cref="MiproV2{TIn,TOut}"/>.</summary>
public sealed record MiproV2Options : BootstrapOptions
{
    /// <summary>Settings with DSPy's defaults: seed 9, 4 harvested and 4 labelled demos, a light budget.</summary>
    public MiproV2Options() => (Seed, MaxLabeledDemos) = (9, 4);

    /// <summary>Sets candidates, trials and the size of the selection set; null leaves them to <see cref="Candidates"/> and <see cref="Trials"/>.</summary>
    /// <value>Light by default.</value>
    public MiproAuto? Auto { get; init; } = MiproAuto.Light;

    /// <summary>Instructions a predictor, its own included, and demo sets. Only without <see cref="Auto"/>.</summary>
    public int? Candidates
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value ?? 1, 1, nameof(Candidates)); field = value; }
    }

    /// <summary>Combinations that are tried. Only without <see cref="Auto"/>.</summary>
    public int? Trials
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value ?? 1, 1, nameof(Trials)); field = value; }
    }

    /// <summary>Scores trials on a part of the selection set and only the promising ones on all of it. With <see cref="Auto"/>, above 50 examples.</summary>
    /// <value>True by default.</value>
    public bool Minibatch { get; init; } = true;

    /// <summary>Examples in such a part.</summary>
    /// <value>35 by default.</value>
    public int MinibatchSize
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MinibatchSize)); field = value; }
    } = 35;

    /// <summary>Trials after which the most promising one is scored on the whole selection set.</summary>
    /// <value>5 by default.</value>
    public int FullEvaluationEvery
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(FullEvaluationEvery)); field = value; }
    } = 5;

    /// <summary>True gives all trials between two full evaluations the same part, so that luck with examples does not tell them apart.</summary>
    public bool PairedMinibatches { get; init; }

    /// <summary>
    /// Trials chosen and scored side by side, whatever <see cref="OptimizerOptions.MaxParallelism"/> is. More is faster and a little less informed.
    /// </summary>
    /// <value>1 by default.</value>
    public int TrialsAtOnce
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(TrialsAtOnce)); field = value; }
    } = 1;

    /// <summary>Sampling temperature of proposals.</summary>
    /// <value>1 by default.</value>
    public double InitTemperature
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(InitTemperature)); field = value; }
    } = 1;

    /// <summary>How often proposals that repeat another one are asked for again.</summary>
    /// <value>1 by default.</value>
    public int Resamples
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(Resamples)); field = value; }
    } = 1;

    /// <summary>Further instructions a predictor, proposed when half of the trials are done, knowing how the first ones scored.</summary>
    /// <value>0 by default.</value>
    public int LaterProposals
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(LaterProposals)); field = value; }
    }

    /// <summary>Proposals see a description of the program and of the module.</summary>
    /// <value>True by default.</value>
    public bool ProgramAware { get; init; } = true;

    /// <summary>Proposals see a summary of the training set.</summary>
    /// <value>True by default.</value>
    public bool DataAware { get; init; } = true;

    /// <summary>Proposals get a tip at random.</summary>
    /// <value>True by default.</value>
    public bool TipAware { get; init; } = true;

    /// <summary>Proposals see harvested demos.</summary>
    /// <value>True by default.</value>
    public bool DemoAware { get; init; } = true;

    /// <summary>Training examples in each look at the data.</summary>
    /// <value>10 by default.</value>
    public int DataBatchSize
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(DataBatchSize)); field = value; }
    } = 10;

    /// <summary>What a writer of instructions should know of the program beside its structure, in words.</summary>
    public string? ProgramNotes { get; init; }

    /// <summary>The model that writes texts; the program's own when null.</summary>
    public LM? PromptModel { get; init; }

    internal bool IsZeroShot => MaxBootstrappedDemos == 0 && MaxLabeledDemos == 0;

    internal override string Describe() => base.Describe() + FormattableString.Invariant(
        $"; auto={Auto}; candidates={Candidates}; trials={Trials}; minibatch={Minibatch}/{MinibatchSize}/{FullEvaluationEvery}/{PairedMinibatches}; ")
        + FormattableString.Invariant($"at-once={TrialsAtOnce}; temperature={InitTemperature}; resamples={Resamples}; later={LaterProposals}; ")
        + FormattableString.Invariant($"aware={ProgramAware}/{DataAware}/{TipAware}/{DemoAware}; batch={DataBatchSize}; prompt={ProgramParts.Identity(PromptModel)}; notes={ProgramNotes}");

    internal override void Validate()
    {
        base.Validate();
        if (Auto is not null && (Candidates is not null || Trials is not null))
            throw new HoneException($"{nameof(Auto)} sets {nameof(Candidates)} and {nameof(Trials)}: set either it or them. {nameof(Auto)} = null leaves both to you.");
        if (Auto is null && Candidates is null)
            throw new HoneException($"Without {nameof(Auto)}, {nameof(Candidates)} and {nameof(Trials)} are needed: e.g. 6 candidates.");
        if (Auto is null && Trials is null)
        {
            var (one, two) = (MiproBudget.TrialsFor(Candidates!.Value, 1, IsZeroShot), MiproBudget.TrialsFor(Candidates.Value, 2, IsZeroShot));
            throw new HoneException($"Without {nameof(Auto)}, {nameof(Trials)} is needed, too: with {Candidates} candidates, about {one} for one predictor and {two} for two.");
        }
    }
}
