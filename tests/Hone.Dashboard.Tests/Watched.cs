using Hone.Optimizers;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.DashboardTests;

public sealed record Question(string Text);

public sealed record Plan(string Steps);

public sealed record Planned(string Text, string Steps);

public sealed record Answer(string Reply);

/// <summary>Two steps on one policy: a plan, then an answer.</summary>
internal sealed class PlanAndAnswer : Module<Question, Answer>
{
    private readonly Predict<Question, Plan> plan = new("Plan.");
    private readonly Predict<Planned, Answer> answer = new("Answer.");

    protected override async Task<Answer> ForwardAsync(Question input, CancellationToken cancellationToken)
    {
        var planned = await plan.CallAsync(input, cancellationToken);
        var answered = await answer.CallAsync(new(input.Text, planned.Steps), cancellationToken);
        return new($"{planned.Steps}/{answered.Reply}");
    }
}

/// <summary>A run of a toy policy that learns in microseconds, some of whose answers are an attack on whoever shows them.</summary>
internal static class Watched
{
    public const string Hostile = "<script>window.attacked = true</script><img src=x onerror=\"window.attacked = true\"> </script></textarea>'\"&lt;";

    public static readonly Example<Question, Answer>[] Train = Examples(0, 8);

    public static readonly Example<Question, Answer>[] Validation = Examples(100, 40);

    public static readonly Metric<Question, Answer> Metric = Hone.Metric.From<Question, Answer>((example, output) =>
    {
        var plan = output.Reply.StartsWith("good", StringComparison.Ordinal) ? .5 : 0;

        // A third of the examples cannot be answered: scores differ, as they do.
        var reply = output.Reply.EndsWith("right", StringComparison.Ordinal) && example.Input.Text.Length % 3 != 0 ? .5 : 0;
        return new Score(plan + reply)
        {
            Parts = System.Collections.Immutable.ImmutableSortedDictionary<string, double>.Empty.Add("plan", plan).Add("reply", reply),
            Feedback = $"The plan was worth {plan}, and {Hostile}",
        };
    });

    public static ToyPolicy Policy() => new(
        new ToyChoice("[[ ## reply ## ]]\n{reply}", Completion("reply", "wrong"), Completion("reply", "right"), Completion("reply", Hostile), "garbage " + Hostile),
        new ToyChoice("[[ ## steps ## ]]\n{steps}", Completion("steps", "bad"), Completion("steps", "good"), Completion("steps", "worse"), "no field at all"));

    public static GrpoOptions Options => new()
    {
        Steps = 40,
        ExamplesPerStep = 4,
        RolloutsPerExample = 8,
        LearningRate = .6,
        WarmupSteps = 0,
        Schedule = Reinforcement.ScheduleKind.Constant,
        Scaling = Reinforcement.AdvantageScaling.Group,
        ValidateEvery = 5,
        ValidationTemperature = 1,
        ValidationSamples = 2,
        Seed = 3,
    };

    /// <summary>What one verdict of the judge costs.</summary>
    public const decimal JudgePrice = 0.0125m;

    public static Task<GrpoResult<Question, Answer>> RunAsync(GrpoOptions options, CancellationToken cancellationToken) => RunAsync(options, Metric, cancellationToken);

    /// <summary>The same run, every score of which takes a verdict of a model that is paid for.</summary>
    /// <param name="judge">The model.</param>
    /// <param name="options">The run's options.</param>
    /// <param name="cancellationToken">Abandons the run.</param>
    public static Task<GrpoResult<Question, Answer>> RunJudgedAsync(ScriptedChatClient judge, GrpoOptions options, CancellationToken cancellationToken)
    {
        var verdict = Predict.Parse("reply -> verdict").WithModel(new LM(judge, "judge") { Price = new(Input: 10, Output: 25) });
        return RunAsync(
            options,
            async (example, prediction, token) =>
            {
                await verdict.CallAsync(FieldMap.Of(("reply", prediction.Value.Reply)), token);
                return await Metric(example, prediction, token);
            },
            cancellationToken);
    }

    /// <summary>A judge of 1000 tokens in and 100 out.</summary>
    public static ScriptedChatClient Judge() => ScriptedChatClient.ByAsync((_, _, _) => Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, Completion("verdict", "fine")))
    {
        FinishReason = ChatFinishReason.Stop,
        Usage = new() { InputTokenCount = 1000, OutputTokenCount = 100, TotalTokenCount = 1100 },
    }));

    private static Task<GrpoResult<Question, Answer>> RunAsync(GrpoOptions options, Metric<Question, Answer> metric, CancellationToken cancellationToken) => Grpo.Create(metric, options)
        .CompileAsync(new PlanAndAnswer().WithModel(new LM(Policy(), "toy")), Train, Validation, cancellationToken);

    public static string Completion(string field, string value) => $"[[ ## {field} ## ]]\n{value}\n\n[[ ## completed ## ]]\n";

    private static Example<Question, Answer>[] Examples(int first, int count) =>
        [.. Enumerable.Range(first, count).Select(i => new Example<Question, Answer>(new($"question {new string('x', i % 7)} {i}"), new("good/right")))];
}

/// <summary>Holds a run back after every step until it is let on: what is on the page then is known.</summary>
internal sealed class Gate : IProgress<GrpoEvent>, IDisposable
{
    private readonly SemaphoreSlim open = new(0);
    private readonly Lock gate = new();
    private readonly List<(Func<GrpoEvent, bool> Is, TaskCompletionSource<GrpoEvent> Happened)> waiting = [];

    public int Steps { get; private set; }

    public void Report(GrpoEvent value)
    {
        lock (gate)
        {
            Steps += value is GrpoStepCompleted ? 1 : 0;
            foreach (var entry in waiting.Where(entry => entry.Is(value)).ToArray())
            {
                waiting.Remove(entry);
                entry.Happened.SetResult(value);
            }
        }

        if (value is GrpoStepCompleted)
            open.Wait();
    }

    /// <summary>Lets the run make so many steps more.</summary>
    public void Let(int steps) => open.Release(steps);

    public Task<GrpoEvent> NextAsync(Func<GrpoEvent, bool> happened)
    {
        var source = new TaskCompletionSource<GrpoEvent>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate)
            waiting.Add((happened, source));
        return source.Task;
    }

    public void Dispose() => open.Dispose();
}
