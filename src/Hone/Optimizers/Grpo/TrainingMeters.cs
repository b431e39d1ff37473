using System.Diagnostics.Metrics;

namespace Hone.Optimizers;

/// <summary>What a training run tells listeners of the meter <c>Hone</c>: the newest value of a few curves, by run.</summary>
/// <param name="directory">The run's directory, of which the last name tells runs apart; null for one in memory.</param>
internal sealed class TrainingMeters(string? directory)
{
    private static readonly Gauge<long> Step = HoneDiagnostics.Meter.CreateGauge<long>("hone.training.step", "{step}", "Steps done.");
    private static readonly Gauge<double> Reward = HoneDiagnostics.Meter.CreateGauge<double>("hone.training.reward", "1", "Mean reward of a step's rollouts.");
    private static readonly Gauge<double> Validation = HoneDiagnostics.Meter.CreateGauge<double>("hone.training.validation.score", "1", "Mean score of the last validation.");
    private static readonly Gauge<double> Unreadable = HoneDiagnostics.Meter.CreateGauge<double>("hone.training.unreadable", "1", "Share of a step's rollouts with an unreadable answer.");
    private static readonly Gauge<double> Entropy = HoneDiagnostics.Meter.CreateGauge<double>("hone.training.entropy", "nat", "Mean entropy of a token.");
    private static readonly Gauge<double> GradientNorm = HoneDiagnostics.Meter.CreateGauge<double>("hone.training.gradient_norm", "1", "Norm of the gradient before clipping.");
    private static readonly Gauge<double> Cost = HoneDiagnostics.Meter.CreateGauge<double>("hone.training.cost", "1", "Money spent on other models so far.");

    private readonly KeyValuePair<string, object?> run = new("hone.run", directory is null ? "in memory" : Path.GetFileName(Path.TrimEndingDirectorySeparator(directory)));

    public void Tell(GrpoStepReport report, decimal cost)
    {
        Step.Record(report.Step + 1, run);
        Reward.Record(report.RewardMean, run);
        Unreadable.Record(report.UnreadableFraction, run);
        Cost.Record((double)cost, run);

        // What a service does not tell has no value.
        if (double.IsFinite(report.Entropy))
            Entropy.Record(report.Entropy, run);
        if (double.IsFinite(report.GradientNorm))
            GradientNorm.Record(report.GradientNorm, run);
    }

    public void Tell(GrpoValidation validation) => Validation.Record(validation.Score, run);
}
