namespace Hone.Reinforcement;

/// <summary>What a run may ask that the Tinker protocol cannot express. Each reason names its option.</summary>
internal static class TinkerPreflight
{
    private static readonly HashSet<string> AllTargets = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

    public static void Check(TinkerClient client, TrainingOptions training)
    {
        var options = client.Options;
        var reasons = new Refusals("The Tinker protocol cannot do what this run asks for");
        if (training.Lora is { } lora)
        {
            reasons.AddIf(lora.Alpha != 32, "Lora.Alpha", $"is {lora.Alpha}, but services fix it at 32. Set Alpha = 32 and put the scale into the learning rate");
            reasons.AddIf(
                !AllTargets.SetEquals(lora.Targets), "Lora.Targets", "leaves projections out, but services adapt all of attention and MLP. Leave Targets at its default");
        }

        if (training.KeepReference)
            reasons.Add("Loss.Beta", "is above 0, but the protocol has no reference policy. Set it to 0");
        if (training.Plan is { } plan)
        {
            Add(reasons, plan.Loss);
            Add(reasons, options, plan.Optimizer);
            reasons.AddIf(
                plan.Sampling.MaxOutputTokens > client.MaxSequenceLength, "Sampling.MaxOutputTokens",
                $"is {plan.Sampling.MaxOutputTokens}, above the {client.MaxSequenceLength} of {client.MaxSequenceLengthOf}");
        }

        reasons.ThrowIfAny();
    }

    public static void Check(PolicyLossOptions loss)
    {
        var reasons = new Refusals("The Tinker protocol cannot express the loss");
        Add(reasons, loss);
        reasons.ThrowIfAny();
    }

    public static void Check(TinkerOptions options, OptimizerStepOptions step)
    {
        var reasons = new Refusals("The Tinker protocol cannot express the optimizer step");
        Add(reasons, options, step);
        reasons.ThrowIfAny();
    }

    private static void Add(Refusals reasons, PolicyLossOptions loss)
    {
        reasons.AddIf(loss.Beta > 0, "Loss.Beta", $"is {loss.Beta}, but the protocol has no reference policy. Set it to 0");
        reasons.AddIf(
            Math.Abs(loss.Temperature - 1) > 1e-6, "Loss.Temperature",
            $"is {loss.Temperature}, but services take log-probabilities at temperature 1. Set it, and Sampling.Temperature, to 1");
    }

    private static void Add(Refusals reasons, TinkerOptions options, OptimizerStepOptions step) => reasons.AddIf(
        options.ServerMaxGradientNorm is { } norm && step.MaxGradientNorm != norm, "Optimizer.MaxGradientNorm",
        $"is {step.MaxGradientNorm}, but the service clips at {options.ServerMaxGradientNorm} by its own setting. Make TinkerOptions.ServerMaxGradientNorm equal to it, null if the service takes a norm");
}

/// <summary>Collects why something is refused, so that one error tells all.</summary>
internal sealed class Refusals(string what)
{
    private readonly List<(string Option, string Reason)> reasons = [];

    public void Add(string option, string reason)
    {
        if (reasons.All(entry => entry.Option != option))
            reasons.Add((option, reason));
    }

    public void AddIf(bool isRefused, string option, string reason)
    {
        if (isRefused)
            Add(option, reason);
    }

    public void ThrowIfAny()
    {
        if (reasons.Count > 0)
            throw new TrainingNotSupportedException($"{what}. {string.Join(" ", reasons.Select(entry => $"{entry.Option} {entry.Reason}."))}") { Options = [.. reasons.Select(entry => entry.Option)] };
    }
}
