namespace Hone.Reinforcement;

/// <summary>What a run may ask that Arbor's trainer cannot do. Each reason names its option.</summary>
internal static class ArborPreflight
{
    public static readonly PolicyLossType[] Losses = [PolicyLossType.Grpo, PolicyLossType.Bnpo, PolicyLossType.DrGrpo, PolicyLossType.Dapo];

    public static void Check(ArborOptions options, TrainingOptions training)
    {
        var reasons = new Refusals("Arbor cannot do what this run asks for");
        if (training.Plan is not { } plan)
            throw new TrainingNotSupportedException("Arbor wants all settings of the training when a job starts: set TrainingOptions.Plan (Grpo does).") { Options = ["TrainingOptions.Plan"] };
        reasons.AddIf(training.KeepReference, "Loss.Beta", "is above 0, but Arbor's reference follows the policy instead of staying at the start. Set it to 0");
        reasons.AddIf(plan.HasTeachers, "Teachers", "write part of the rollouts, but Arbor would learn from their texts as if the policy had written them. Leave them out");
        Add(reasons, options, plan.Loss);
        Add(reasons, plan.Optimizer);
        reasons.AddIf(plan.UpdatesPerBatch != 1, "UpdatesPerBatch", $"is {plan.UpdatesPerBatch}, but Arbor updates once a group. Set it to 1");
        reasons.AddIf(plan.Scaling == AdvantageScaling.Batch, "Scaling", "is Batch, but Arbor compares within groups only. Use None or Group");
        reasons.AddIf(
            plan.Schedule != ScheduleKind.Constant, "Schedule",
            $"is {plan.Schedule}, but Arbor counts a step for every group, of which a run's number is not known. Set it to Constant, and ArborOptions.WarmupGroups for a warm-up");
        AddBatches(reasons, options, plan.GroupSize);
        reasons.AddIf(
            training.Lora is { Alpha: var alpha } && alpha != Math.Floor(alpha), "Lora.Alpha", "must be a whole number");
        reasons.ThrowIfAny();
    }

    public static void Check(PolicyLossOptions loss, PolicyLossOptions planned)
    {
        if (loss != planned)
            throw new TrainingNotSupportedException("The loss of an Arbor job is fixed when it starts, and this one differs from the plan's.") { Options = ["Loss"] };
    }

    public static void Check(OptimizerStepOptions step, OptimizerStepOptions planned)
    {
        var reasons = new Refusals("Arbor's optimizer is fixed when a job starts");
        reasons.AddIf(step.LearningRate != planned.LearningRate, "Optimizer.LearningRate", $"is {step.LearningRate}, but the job runs with {planned.LearningRate}");
        reasons.AddIf(step with { LearningRate = planned.LearningRate } != planned, "Optimizer", "differs from the plan's");
        reasons.ThrowIfAny();
    }

    private static void Add(Refusals reasons, ArborOptions options, PolicyLossOptions loss)
    {
        reasons.AddIf(!Losses.Contains(loss.Type), "Loss.Type", $"is {loss.Type}, which Arbor does not compute. Use one of {string.Join(", ", Losses)}");
        reasons.AddIf(loss.Beta > 0, "Loss.Beta", "is above 0, but Arbor's reference follows the policy instead of staying at the start. Set it to 0");
        reasons.AddIf(loss.Delta is not null, "Loss.Delta", "is set, but Arbor takes no such bound. Leave it null");
        reasons.AddIf(loss.Correction is not (ImportanceCorrection.None or ImportanceCorrection.Automatic), "Loss.Correction", $"is {loss.Correction}, but Arbor never sees the sampler's log-probabilities. Leave it at Automatic");
        reasons.AddIf(loss.OffPolicyThreshold is not null, "Loss.OffPolicyThreshold", "is set, but Arbor never sees the sampler's log-probabilities. Leave it null");
        reasons.AddIf(loss.NormalizePerPredictor, "Loss.NormalizePerPredictor", "is set, but Arbor does not know of predictors. Leave it off");

        // Its max_completion_length would take the place of max_seq_len, and with it the beginnings of prompts would be cut off.
        reasons.AddIf(
            loss.Type == PolicyLossType.DrGrpo && loss.MaxCompletionLength != options.MaxSequenceLength, "Loss.MaxCompletionLength",
            $"is {loss.MaxCompletionLength}, but Arbor divides the loss of DrGrpo by the longest sequence. Set it to ArborOptions.MaxSequenceLength ({options.MaxSequenceLength})");
    }

    private static void Add(Refusals reasons, OptimizerStepOptions step)
    {
        reasons.AddIf(step.Beta1 != 0.9, "Optimizer.Beta1", $"is {step.Beta1}, but Arbor's is 0.9");
        reasons.AddIf(step.Beta2 != 0.999, "Optimizer.Beta2", $"is {step.Beta2}, but Arbor's is 0.999");
        reasons.AddIf(step.Epsilon != 1e-8, "Optimizer.Epsilon", $"is {step.Epsilon}, but Arbor's is 1e-8");
    }

    // The server's own checks, told before GPUs are taken.
    private static void AddBatches(Refusals reasons, ArborOptions options, int groupSize)
    {
        var total = (options.PerDeviceBatchSize ?? groupSize) * options.TrainingGpus * options.GradientAccumulationSteps;
        reasons.AddIf(groupSize < 2, "RolloutsPerExample", $"is {groupSize}, but Arbor wants groups of 2 and more");
        reasons.AddIf(
            groupSize >= 2 && total % groupSize != 0, "ArborOptions.PerDeviceBatchSize",
            $"times TrainingGpus times GradientAccumulationSteps is {total}, which {groupSize} rollouts of an example do not divide");
        reasons.AddIf(
            groupSize < options.TrainingGpus * options.GradientAccumulationSteps, "ArborOptions.GradientAccumulationSteps",
            $"times TrainingGpus is {options.TrainingGpus * options.GradientAccumulationSteps}, above the {groupSize} rollouts of an example");
    }
}
