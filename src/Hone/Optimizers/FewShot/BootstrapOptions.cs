namespace Hone.Optimizers;

/// <summary>Settings of optimizers that harvest demos from runs of a teacher.</summary>
public abstract record BootstrapOptions : OptimizerOptions
{
    private protected BootstrapOptions()
    {
    }

    /// <summary>Failed runs at which harvesting is given up with an error, counted anew in every compilation.</summary>
    internal int MostHarvestErrors => MaxErrors ?? 10;

    /// <summary>Most harvested demos a predictor; also the number of accepted examples after which harvesting ends.</summary>
    /// <value>4 by default.</value>
    public int MaxBootstrappedDemos
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(MaxBootstrappedDemos)); field = value; }
    } = 4;

    /// <summary>Most demos a predictor in all: harvested ones first, then training examples as they are.</summary>
    /// <value>16 by default.</value>
    public int MaxLabeledDemos
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(MaxLabeledDemos)); field = value; }
    } = 16;

    /// <summary>Attempts an example. The first is the teacher's usual answer, further ones are sampled at temperature 1.</summary>
    /// <value>1 by default.</value>
    public int MaxRounds
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxRounds)); field = value; }
    } = 1;

    /// <summary>A run is accepted when its score is at least this; null accepts every score but 0.</summary>
    public double? MetricThreshold { get; init; }

    internal override string Describe() => base.Describe() + FormattableString.Invariant(
        $"; bootstrapped={MaxBootstrappedDemos}; labeled={MaxLabeledDemos}; rounds={MaxRounds}; threshold={MetricThreshold}");
}
