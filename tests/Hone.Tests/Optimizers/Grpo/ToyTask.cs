using Hone.Optimizers;
using Hone.Reinforcement;
using Hone.Testing;

namespace Hone.Tests.Optimizers;

public sealed record ToyQuestion(string Question);

public sealed record ToyPlan(string Plan);

public sealed record ToyAnswerInput(string Question, string Plan);

public sealed record ToyAnswer(string Answer);

/// <summary>Two steps on one policy: a plan, then an answer. The reward is half for the right plan and half for the right answer.</summary>
internal sealed class ToyProgram : Module<ToyQuestion, ToyAnswer>
{
    private readonly Predict<ToyQuestion, ToyPlan> plan = new("Plan.");
    private readonly Predict<ToyAnswerInput, ToyAnswer> answer = new("Answer.");

    protected override async Task<ToyAnswer> ForwardAsync(ToyQuestion input, CancellationToken cancellationToken)
    {
        var planned = await plan.CallAsync(input, cancellationToken);
        var answered = await answer.CallAsync(new(input.Question, planned.Plan), cancellationToken);
        return new($"{planned.Plan}/{answered.Answer}");
    }
}

internal static class ToyTask
{
    public static readonly Example<ToyQuestion, ToyAnswer>[] Train =
        [.. Enumerable.Range(0, 8).Select(i => new Example<ToyQuestion, ToyAnswer>(new($"q{i}"), new("good/right")))];

    public static readonly Example<ToyQuestion, ToyAnswer>[] Validation =
        [.. Enumerable.Range(100, 6).Select(i => new Example<ToyQuestion, ToyAnswer>(new($"q{i}"), new("good/right")))];

    public static readonly Metric<ToyQuestion, ToyAnswer> Metric = Hone.Metric.From<ToyQuestion, ToyAnswer>((_, output) =>
        (output.Answer.StartsWith("good", StringComparison.Ordinal) ? .5 : 0) + (output.Answer.EndsWith("right", StringComparison.Ordinal) ? .5 : 0));

    public static ToyPolicy Policy() => new(
        new ToyChoice("[[ ## answer ## ]]\n{answer}", Completion("answer", "wrong"), Completion("answer", "right"), "garbage"),
        new ToyChoice("[[ ## plan ## ]]\n{plan}", Completion("plan", "bad"), Completion("plan", "good"), Completion("plan", "worse"), "no field at all"));

    /// <summary>As <see cref="Policy"/>, without answers that cannot be read.</summary>
    public static ToyPolicy ReadablePolicy() => new(
        new ToyChoice("[[ ## answer ## ]]\n{answer}", Completion("answer", "wrong"), Completion("answer", "right")),
        new ToyChoice("[[ ## plan ## ]]\n{plan}", Completion("plan", "bad"), Completion("plan", "good"), Completion("plan", "worse")));

    public static Program<ToyQuestion, ToyAnswer> Program(ToyPolicy policy) => new ToyProgram().WithModel(new LM(policy, "toy"));

    public static GrpoOptions Options => new()
    {
        Steps = 30,
        ExamplesPerStep = 2,
        RolloutsPerExample = 8,
        LearningRate = 1.0,
        WarmupSteps = 0,
        Schedule = ScheduleKind.Constant,
        Scaling = AdvantageScaling.Group,
        ValidateEvery = 10,
        ValidationTemperature = 1,
        Seed = 3,
    };

    public static string Completion(string field, string value) => $"[[ ## {field} ## ]]\n{value}\n\n[[ ## completed ## ]]\n";
}
