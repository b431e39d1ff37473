using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>Turns what the checks saw into plain words.</summary>
/// <param name="options">The run's options.</param>
/// <param name="capabilities">What its session can do.</param>
/// <param name="learning">Paths of the predictors that are trained.</param>
internal sealed class PreflightFindings(GrpoOptions options, TrainingCapabilities capabilities, IReadOnlyCollection<string> learning)
{
    private readonly List<PreflightFinding> findings = [];

    public void AddTokens(IReadOnlyList<Rollout> rollouts)
    {
        var calls = Learned(rollouts).ToArray();
        if (calls.Length == 0)
            Add(PreflightSeverity.Problem, "calls", "No rollout called a predictor that is trained: there is nothing to learn from. Does the program catch an error before its first call?");
        else if (!capabilities.LearnsFromText && calls.All(call => call.Tokens is null))
            Add(PreflightSeverity.Problem, "tokens", "The model's answers carry no sampled tokens, so they cannot be learned from. Train a model of Hone.Engine or of a training service.");
    }

    /// <param name="conflict">What the options of predictors say; null when they agree with the loss.</param>
    /// <param name="rollouts">What was sampled.</param>
    public void AddSampling(string? conflict, IReadOnlyList<Rollout> rollouts)
    {
        if (conflict is not null)
            Add(PreflightSeverity.Problem, "sampling", conflict);
        else if (Learned(rollouts).FirstOrDefault(call =>
            call.Tokens is { } tokens && !SamplerAgreement.IsSame(tokens.Temperature, options.Loss.Temperature)) is { } other)
            Add(
                PreflightSeverity.Problem,
                "sampling",
                FormattableString.Invariant(
                    $"Calls of '{other.Path}' are sampled at temperature {other.Tokens!.Temperature} where the loss assumes {options.Loss.Temperature}: they cannot be learned from. Does the module set a temperature of its own?"));
    }

    public void AddFormat(IReadOnlyList<Rollout> rollouts)
    {
        var unreadable = rollouts.Count(rollout => rollout.Trace.Calls.Any(call => call.Failure is not null)) / (double)Math.Max(1, rollouts.Count);
        if (unreadable < 0.5)
            return;
        var worst = rollouts.SelectMany(rollout => rollout.Trace.Calls).Where(call => call.Failure is not null).GroupBy(call => call.Path).MaxBy(group => group.Count())!;
        Add(
            unreadable > 0.95 ? PreflightSeverity.Problem : PreflightSeverity.Warning,
            "format",
            $"{unreadable:P0} of the rollouts have an unreadable answer, most of them of '{worst.Key}' (e.g. {worst.First().Failure!.Reason}) Teach the format by supervised examples first (SupervisedTuning), or use a simpler adapter.");
    }

    /// <param name="groups">The rollouts of each example.</param>
    public void AddReward(Rollout[][] groups)
    {
        var all = groups.SelectMany(group => group).ToArray();
        var lost = all.Where(rollout => rollout.Outcome is RolloutOutcome.Unscorable or RolloutOutcome.Crashed).ToArray();
        if (lost.Length > 0)
            Add(
                lost.Length > all.Count(IsReadable) ? PreflightSeverity.Problem : PreflightSeverity.Warning,
                "errors",
                $"{lost.Length} of {all.Length} rollouts ended with an error of the program, a model or the metric. The first: {lost[0].Error?.GetType().Name}: {lost[0].Error?.Message}");
        var scored = groups.Select(group => group.Where(rollout => rollout.Reward is not null).Select(rollout => rollout.Reward!.Value).ToArray()).ToArray();
        if (scored.All(rewards => rewards.Length == 0))
            return;
        var flat = scored.Count(rewards => rewards.Length == 0 || rewards.Max() - rewards.Min() < 1e-12);
        if (flat < scored.Length / 2.0)
            return;
        Add(
            flat == scored.Length ? PreflightSeverity.Problem : PreflightSeverity.Warning,
            "reward spread",
            $"In {flat} of {scored.Length} examples all {options.RolloutsPerExample} rollouts earned the same (e.g. {scored.First(rewards => rewards.Length > 0)[0]:0.###}): such groups teach nothing. "
            + "Use a finer metric, more rollouts an example, a higher temperature or easier examples.");
    }

    public void AddLengths(IReadOnlyList<Rollout> rollouts)
    {
        var tokens = Learned(rollouts).Select(call => (call.Path, call.Tokens)).Where(call => call.Tokens is not null).ToArray();
        if (tokens.Length == 0)
            return;
        var cut = tokens.Count(call => call.Tokens!.IsTruncated) / (double)tokens.Length;
        if (cut > 0.1)
            Add(
                cut > 0.9 ? PreflightSeverity.Problem : PreflightSeverity.Warning,
                "cut answers",
                $"{cut:P0} of the answers reach the token limit before they end. Raise Sampling.{nameof(CallOptions.MaxOutputTokens)}, or ask for shorter answers.");
    }

    /// <summary>One finding for each set whose longest prompt leaves too little room for its answer.</summary>
    /// <param name="prompts">The longest prompts.</param>
    /// <param name="limitOf">What limits a predictor's answers, and which setting says so; null where an answer may fill what is left.</param>
    public void AddContext(IReadOnlyList<LongPrompt> prompts, Func<string, (int Tokens, string Setting)?> limitOf)
    {
        var most = capabilities.MaxSequenceLength;
        foreach (var set in prompts.GroupBy(prompt => prompt.Set))
        {
            var (prompt, limit, total) = set
                .Select(prompt => (Prompt: prompt, Limit: limitOf(prompt.Path), Total: prompt.Tokens + (long)(limitOf(prompt.Path)?.Tokens ?? 1)))
                .MaxBy(entry => entry.Total);
            if (total <= most)
                continue;
            Add(
                PreflightSeverity.Warning,
                "context",
                FormattableString.Invariant($"{(prompt.IsMeasured ? "A prompt" : "By the length of its texts, a prompt")} of '{prompt.Path}' for the {set.Key} example {prompt.Example} (counted from 0) has {(prompt.IsMeasured ? string.Empty : "about ")}{prompt.Tokens} tokens; ")
                + (limit is var (tokens, setting)
                    ? FormattableString.Invariant($"with up to {tokens} of an answer ({setting}) that is more than the {most} that the model holds: such answers are cut or refused. Leave out or shorten such examples, set a lower MaxOutputTokens, or ")
                    : FormattableString.Invariant($"the model holds {most}, which leaves no room for an answer. Leave out or shorten such examples, or "))
                + "train with a longer context.");
        }
    }

    /// <summary>
    /// An answer of nothing that earns as much as the policy usually does teaches it to say nothing. One that earns what the worst answers earn does no
    /// harm: there is only up from there.
    /// </summary>
    public void AddSilence(string what, bool isUnreadable, IReadOnlyList<Rollout> rollouts, double[] silence)
    {
        double[] rewards = [.. rollouts.Where(IsReadable).Select(rollout => rollout.Reward!.Value).Order()];
        if (silence.Length == 0 || rewards.Length == 0)
            return;
        var median = rewards[rewards.Length / 2];
        var earned = silence.Average();
        if (earned < median - 1e-9 || (earned <= rewards[0] + 1e-9 && rewards[^1] > rewards[0] + 1e-9))
            return;
        Add(
            isUnreadable || earned >= rewards[^1] - 1e-9 ? PreflightSeverity.Problem : PreflightSeverity.Warning,
            "empty answers",
            FormattableString.Invariant(
                $"The program turns {what} into a result that scores {earned:0.###}, no less than the median of {median:0.###} that the policy's readable answers earn: the policy can learn to say nothing. ")
            + "Let the error out of the program, or let the metric give such a result its lowest score.");
    }

    public void AddDeterminism((double First, double Second)[] pairs)
    {
        var different = pairs.Where(pair => Math.Abs(pair.First - pair.Second) > 1e-9).ToArray();
        if (different.Length > 0)
            Add(
                PreflightSeverity.Warning,
                "metric",
                FormattableString.Invariant(
                    $"The metric scored {different.Length} of {pairs.Length} results differently the second time (e.g. {different[0].First:0.###}, then {different[0].Second:0.###}): its noise looks like signal. Ask judges at temperature 0, with a cache."));
    }

    public PreflightReport Report(IReadOnlyList<Rollout> rollouts, double seconds, long externalCalls, decimal cost, int validationSize)
    {
        var tokens = rollouts.Sum(rollout => GrpoReporter.TokensOf(rollout, learning));
        var validations = validationSize == 0 ? 0 : 2 + ((options.Steps - 1) / options.ValidateEvery);
        var training = (double)options.Steps * options.ExamplesPerStep * options.RolloutsPerExample / rollouts.Count;
        var all = training + ((double)validations * validationSize * (1 + options.ValidationSamples) / rollouts.Count);
        var estimate = new PreflightEstimate(
            TimeSpan.FromSeconds(Math.Min(seconds * all, TimeSpan.MaxValue.TotalSeconds / 2)), (long)(tokens * training), (long)(externalCalls * all), cost * (decimal)all)
        {
            MemoryBytes = capabilities.MemoryBytes,
        };
        AddBudget(estimate);
        return new([.. findings.OrderByDescending(finding => finding.Severity)], estimate);
    }

    /// <summary>Where training takes more memory than there is, the system swaps, or ends the process in the middle of a step.</summary>
    /// <param name="available">What this process can have, in bytes.</param>
    public void AddMemory(long available)
    {
        if (capabilities.MemoryBytes is { } bytes && bytes > available)
            Add(
                PreflightSeverity.Warning,
                "memory",
                $"Training takes about {PreflightEstimate.GibibytesOf(bytes)} of memory, and there are {PreflightEstimate.GibibytesOf(available)}. Train an adapter (Lora) instead of all weights, or a smaller model.");
    }

    private IEnumerable<PredictorCall> Learned(IReadOnlyList<Rollout> rollouts) =>
        rollouts.SelectMany(rollout => rollout.Trace.Calls).Where(call => learning.Contains(call.Path));

    private static bool IsReadable(Rollout rollout) =>
        rollout is { Outcome: RolloutOutcome.Scored, Reward: not null } && rollout.Trace.Calls.All(call => call.Failure is null);

    private void AddBudget(PreflightEstimate estimate)
    {
        var shares = new[]
        {
            ("MaxDuration", options.Budget.MaxDuration is { } time ? time / estimate.Duration : double.PositiveInfinity),
            ("MaxSampledTokens", options.Budget.MaxSampledTokens is { } tokens ? tokens / (double)estimate.SampledTokens : double.PositiveInfinity),
            ("MaxExternalCalls", options.Budget.MaxExternalCalls is { } calls ? calls / (double)estimate.ExternalCalls : double.PositiveInfinity),
            ("MaxCost", options.Budget.MaxCost is { } money && estimate.Cost > 0 ? (double)(money / estimate.Cost) : double.PositiveInfinity),
        };
        var (name, share) = shares.MinBy(limit => limit.Item2);
        if (share < 1)
            Add(
                PreflightSeverity.Note,
                "budget",
                $"Budget.{name} will be spent after about {share:P0} of the {options.Steps} steps{(name == "MaxDuration" ? ", by rollouts alone; learning comes on top" : string.Empty)}.");
    }

    private void Add(PreflightSeverity severity, string check, string message) => findings.Add(new(severity, check, message));
}
