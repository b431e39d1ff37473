using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>Something that happened in a run.</summary>
public abstract record GrpoEvent;

/// <summary>The run begins, or goes on at <paramref name="FirstStep"/> after an interruption.</summary>
public sealed record GrpoStarted(int FirstStep, int Steps) : GrpoEvent;

/// <summary>Rollouts of a step are coming in.</summary>
public sealed record GrpoRolloutProgress(int Step, int Completed, int Total) : GrpoEvent;

/// <summary>A validation is under way.</summary>
public sealed record GrpoValidationProgress(int Step, int Completed, int Total) : GrpoEvent;

/// <summary>A step is done.</summary>
public sealed record GrpoStepCompleted(GrpoStepReport Report) : GrpoEvent
{
    /// <summary>The step's rollouts, with every call, its exact tokens and its answer.</summary>
    public IReadOnlyList<Rollout> Rollouts { get; init; } = [];

    /// <summary>How much better than its group each learned call was; calls that taught nothing are absent. Compared by reference.</summary>
    public IReadOnlyDictionary<PredictorCall, double> Advantages { get; init; } = ImmutableDictionary<PredictorCall, double>.Empty;
}

/// <summary>A validation is done.</summary>
public sealed record GrpoValidated(GrpoValidation Validation) : GrpoEvent
{
    /// <summary>What the program answered to each example, in the set's order.</summary>
    public IReadOnlyList<GrpoAnswer> Answers { get; init; } = [];
}

/// <summary>What a program answered to one validation example, as text.</summary>
/// <param name="Input">The example's input.</param>
/// <param name="Output">The answer; null when the program failed.</param>
/// <param name="Score">Its score.</param>
public sealed record GrpoAnswer(string Input, string? Output, double Score)
{
    /// <summary>What the metric said in words; null when it said nothing.</summary>
    public string? Feedback { get; init; }

    /// <summary>Why the program or the metric failed; null when all went well.</summary>
    public string? Error { get; init; }
}

/// <summary>The run has ended. The last event.</summary>
/// <param name="Reason">Why.</param>
/// <param name="BestStep">The step after which the returned weights were validated; -1 for the original ones.</param>
/// <param name="Comparison">The returned weights against the original ones on the validation set; null when it was not scored.</param>
public sealed record GrpoFinished(StopReason Reason, int BestStep, PairedComparison? Comparison) : GrpoEvent;

/// <summary>The policy had collapsed: the weights of a validation before are back.</summary>
/// <param name="Step">The step after which it was noticed.</param>
/// <param name="Reason">The sign, in plain words.</param>
/// <param name="ReturnedTo">The step whose weights are back; -1 for those before training.</param>
public sealed record GrpoRolledBack(int Step, string Reason, int ReturnedTo) : GrpoEvent;

/// <summary>The checks before training are done.</summary>
public sealed record GrpoChecked(PreflightReport Report) : GrpoEvent;

/// <summary>State was written from which the run can go on.</summary>
public sealed record GrpoStateSaved(int NextStep, string Directory) : GrpoEvent;

/// <summary>Something that the user should know of, in plain words.</summary>
public sealed record GrpoWarning(int Step, string Message) : GrpoEvent;

/// <summary>One validation.</summary>
/// <param name="Step">The step after which it was made; -1 before training.</param>
/// <param name="Score">Mean score of the validation set.</param>
/// <param name="Interval">95 % interval of the mean.</param>
/// <param name="TrainScore">Mean score of the training set, when asked for.</param>
/// <param name="FormatFailures">Answers that could not be parsed.</param>
/// <param name="IsBest">True when no validation before scored as high.</param>
/// <param name="Scores">Score by example.</param>
public sealed record GrpoValidation(
    int Step, double Score, ConfidenceInterval Interval, double? TrainScore, int FormatFailures, bool IsBest, IReadOnlyList<double> Scores)
{
    /// <summary>Mean score of the runs at the sampling temperature; null when there were none.</summary>
    public double? SampledScore { get; init; }

    /// <summary>Mean over the examples of the best of their sampled runs (pass@k for a score of 0 or 1); null when there were none.</summary>
    public double? BestOfSamples { get; init; }

    /// <summary>Calls of other models since the run began, those of this validation included.</summary>
    public long ExternalCallsSoFar { get; init; }

    /// <summary>What all of them cost.</summary>
    public decimal CostSoFar { get; init; }
}

/// <summary>What one step did: rollouts, learning, time.</summary>
public sealed record GrpoStepReport
{
    /// <summary>The step, from 0.</summary>
    public required int Step { get; init; }

    /// <summary>Mean reward over all scored rollouts.</summary>
    public double RewardMean { get; init; }

    /// <summary>Sample standard deviation of the rewards.</summary>
    public double RewardDeviation { get; init; }

    /// <summary>Sample standard deviation of the groups' mean rewards: how unequally hard the step's examples are.</summary>
    public double GroupMeanDeviation { get; init; }

    /// <summary>Mean of each named part of the reward.</summary>
    public IReadOnlyDictionary<string, double> Parts { get; init; } = new Dictionary<string, double>();

    /// <summary>Sample standard deviation of each named part of the reward.</summary>
    public IReadOnlyDictionary<string, double> PartDeviations { get; init; } = new Dictionary<string, double>();

    /// <summary>Rollouts made, those of replaced examples included.</summary>
    public int RolloutsGenerated { get; init; }

    /// <summary>Rollouts of the examples that were not replaced: those that the other figures describe.</summary>
    public int RolloutsKept { get; init; }

    /// <summary>Rollouts that entered a group, and so the comparison that the step learns from.</summary>
    public int RolloutsUsed { get; init; }

    /// <summary>Those of <see cref="RolloutsUsed"/> that had something to teach: some call of theirs was in a group whose rewards differ.</summary>
    public int RolloutsTeaching { get; init; }

    /// <summary>Rollouts that did not reach a predictor that others of their example reached, one for each such predictor.</summary>
    public int SkippedRollouts { get; init; }

    /// <summary>Rollouts with an unreadable answer, whether or not their program handled it.</summary>
    public int UnreadableRollouts { get; init; }

    // Of replaced examples nobody has looked at the answers: with all unreadable, all would be replaced, and count as good ones.
    internal double UnreadableFraction => RolloutsKept == 0 ? 0 : UnreadableRollouts / (double)RolloutsKept;

    /// <summary>Rollouts of teachers that were learned from by their own log-probabilities.</summary>
    public int OffPolicyRollouts { get; init; }

    /// <summary>Rollouts of teachers that were left out, because their model does not tell its tokens.</summary>
    public int OpaqueRollouts { get; init; }

    /// <summary>Examples that were replaced because all their rollouts earned the same.</summary>
    public int ResampledExamples { get; init; }

    /// <summary>Calls of other models than the policy in this step, those of the metric included.</summary>
    public long ExternalCalls { get; init; }

    /// <summary>What those calls cost.</summary>
    public decimal Cost { get; init; }

    /// <summary>Calls of other models since the run began, those of checks and validations included.</summary>
    public long ExternalCallsSoFar { get; init; }

    /// <summary>What all of them cost.</summary>
    public decimal CostSoFar { get; init; }

    /// <summary>Why the policy counted as collapsed after this step; null when it did not.</summary>
    public string? Collapse { get; init; }

    /// <summary>Rollouts whose answer could not be parsed and whose program did not handle it.</summary>
    public int FormatFailures { get; init; }

    /// <summary>Unreadable answers by predictor, handled ones included.</summary>
    public IReadOnlyDictionary<string, int> FormatFailuresByPredictor { get; init; } = new Dictionary<string, int>();

    /// <summary>Rollouts whose program raised.</summary>
    public int Crashes { get; init; }

    /// <summary>Rollouts without a score.</summary>
    public int Unscorable { get; init; }

    /// <summary>Groups by predictor.</summary>
    public IReadOnlyDictionary<string, int> Groups { get; init; } = new Dictionary<string, int>();

    /// <summary>Share of groups whose rewards are all equal: they teach nothing.</summary>
    public double ZeroVarianceFraction { get; init; }

    /// <summary>Calls left out by grouping.</summary>
    public int SkippedCalls { get; init; }

    /// <summary>Tokens that the policy sampled in rollouts; what models that are not trained wrote does not count.</summary>
    public long TokensSampled { get; init; }

    /// <summary>Tokens whose gradient was taken.</summary>
    public long TokensTrained { get; init; }

    /// <summary>Mean length of the trained predictors' completions, in tokens.</summary>
    public double CompletionLengthMean { get; init; }

    /// <summary>Shortest completion in tokens.</summary>
    public int CompletionLengthMin { get; init; }

    /// <summary>Longest completion in tokens.</summary>
    public int CompletionLengthMax { get; init; }

    /// <summary>Mean length in tokens of the completions that ended by themselves; 0 when none did.</summary>
    public double EndedLengthMean { get; init; }

    /// <summary>Shortest completion that ended by itself, in tokens.</summary>
    public int EndedLengthMin { get; init; }

    /// <summary>Longest completion that ended by itself, in tokens.</summary>
    public int EndedLengthMax { get; init; }

    /// <summary>Share of completions cut off by the token limit.</summary>
    public double TruncatedFraction { get; init; }

    /// <summary>The loss; see <see cref="Hone.Reinforcement.ForwardBackwardResult.Loss"/> for why it stays near zero.</summary>
    public double Loss { get; init; }

    /// <summary>Mean entropy in nats.</summary>
    public double Entropy { get; init; }

    /// <summary>Mean divergence from the reference.</summary>
    public double Kl { get; init; }

    /// <summary>Share of tokens clipped, both sides.</summary>
    public double ClipFraction { get; init; }

    /// <summary>Share of tokens clipped from below, where the advantage is negative.</summary>
    public double ClipFractionLow { get; init; }

    /// <summary>Share of tokens clipped from above, where the advantage is positive.</summary>
    public double ClipFractionHigh { get; init; }

    /// <summary>Mean difference between the sampler's and the trainer's log-probability of a token.</summary>
    public double SamplerDifferenceMean { get; init; }

    /// <summary>Largest difference between the sampler's and the trainer's log-probability of a token.</summary>
    public double SamplerDifferenceMax { get; init; }

    /// <summary>Global gradient norm before clipping.</summary>
    public double GradientNorm { get; init; }

    /// <summary>Learning rate.</summary>
    public double LearningRate { get; init; }

    /// <summary>Version of the weights that sampled.</summary>
    public int PolicyVersion { get; init; }

    /// <summary>Most updates of the weights between the sampling of a completion and learning from it; 0 with one update a batch, in process.</summary>
    public int Staleness { get; init; }

    /// <summary>Tokens sampled a second of rollouts.</summary>
    public double SampledTokensPerSecond => Seconds.Rollout > 0 ? TokensSampled / Seconds.Rollout : 0;

    /// <summary>Tokens trained a second of forward and backward passes.</summary>
    public double TrainedTokensPerSecond => Seconds.Forward + Seconds.Backward is > 0 and var passes ? TokensTrained / passes : 0;

    /// <summary>Where the time went.</summary>
    public GrpoTimings Seconds { get; init; } = new();
}

/// <summary>Seconds of a step by what they were spent on.</summary>
public sealed record GrpoTimings
{
    /// <summary>Running the program, metrics excluded where they do not overlap.</summary>
    public double Rollout { get; init; }

    /// <summary>Metrics, summed over rollouts (they overlap with sampling).</summary>
    public double Metric { get; init; }

    /// <summary>Forward passes.</summary>
    public double Forward { get; init; }

    /// <summary>Backward passes.</summary>
    public double Backward { get; init; }

    /// <summary>Forward and backward passes while rollouts were under way (<see cref="GrpoOptions.OverlapLearning"/>); part of both.</summary>
    public double Overlapped { get; init; }

    /// <summary>Optimizer and weight repacking.</summary>
    public double Optimizer { get; init; }

    /// <summary>Handing new weights to a sampler elsewhere; 0 in process.</summary>
    public double Sync { get; init; }

    /// <summary>The step as a whole, without its validation.</summary>
    [JsonIgnore]
    public double Total => Rollout + Forward + Backward - Overlapped + Optimizer + Sync;
}
