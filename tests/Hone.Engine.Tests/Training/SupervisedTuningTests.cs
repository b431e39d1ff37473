using Hone.Optimizers;
using Hone.Testing;

namespace Hone.Engine.Tests.Training;

public sealed class SupervisedTuningTests
{
    private static readonly (string Question, string Answer)[] Lessons = [("red", "stop"), ("green", "go"), ("amber", "wait"), ("blue", "park")];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Program<FieldMap, FieldMap> Program => Predict.Parse("colour -> action", "Say what the light means.").WithModel(EngineLM.Embedded());

    [Fact]
    public async Task CompileAsync_Demonstrations_AreImitated()
    {
        var program = Program;
        var seen = new List<SupervisedProgress>();
        var result = await new SupervisedTuning<FieldMap, FieldMap>(Options with { Progress = new Collector(seen.Add) }).CompileAsync(program, Demonstrations(program), Token);

        Assert.True(result.Losses[^1] < result.Losses[0] / 4, $"{result.Losses[0]:0.00} to {result.Losses[^1]:0.00}");
        Assert.Equal(result.Losses.Count, seen[^1].Step);
        Assert.Equal(seen[^1].Steps, seen.Count);
        var given = new List<string>();
        foreach (var (question, _) in Lessons)
        {
            var run = await result.Program.RunAsync(FieldMap.Of(("colour", question)), new() { Options = new() { Temperature = 0, MaxOutputTokens = 40 }, Recovery = RecoveryPolicy.None }, Token);
            given.Add($"{run.Value["action"]}");
        }

        Assert.Equal(Lessons.Select(lesson => lesson.Answer), given);
    }

    [Fact]
    public async Task CompileAsync_SameSeed_GivesTheSameLosses()
    {
        var program = Program;
        var first = await new SupervisedTuning<FieldMap, FieldMap>(Options with { Epochs = 3 }).CompileAsync(program, Demonstrations(program), Token);
        var second = await new SupervisedTuning<FieldMap, FieldMap>(Options with { Epochs = 3 }).CompileAsync(program, Demonstrations(program), Token);
        Assert.Equal(first.Losses, second.Losses);
    }

    [Fact]
    public async Task CompileAsync_WhatCannotBeLearned_IsSaid()
    {
        var program = Program;
        var tuning = new SupervisedTuning<FieldMap, FieldMap>(Options);
        Assert.Contains("no demonstrations", (await Assert.ThrowsAsync<HoneException>(() => tuning.CompileAsync(program, [], Token))).Message, StringComparison.Ordinal);
        Assert.Contains(
            "no predictor 'other'",
            (await Assert.ThrowsAsync<HoneException>(() => tuning.CompileAsync(program, [new("other", FieldMap.Of(("colour", "red")), "x")], Token))).Message,
            StringComparison.Ordinal);
        var overlong = new Demonstration("self", FieldMap.Of(("colour", "red")), new string('x', 5000));
        Assert.Contains("tokens; the model holds", (await Assert.ThrowsAsync<HoneException>(() => tuning.CompileAsync(program, [overlong], Token))).Message, StringComparison.Ordinal);
        var scripted = program.WithModel(new LM(ScriptedChatClient.InSequence()));
        Assert.Contains("cannot be trained", (await Assert.ThrowsAsync<HoneException>(() => tuning.CompileAsync(scripted, Demonstrations(program), Token))).Message, StringComparison.Ordinal);
    }

    private static SupervisedOptions Options => new() { Epochs = 80, BatchSize = 4, LearningRate = 2e-3, Seed = 1 };

    private static Demonstration[] Demonstrations(Program<FieldMap, FieldMap> program) =>
        [.. Lessons.Select(lesson => Demonstration.Of(program, "self", FieldMap.Of(("colour", lesson.Question)), FieldMap.Of(("action", lesson.Answer))))];

    private sealed class Collector(Action<SupervisedProgress> collect) : IProgress<SupervisedProgress>
    {
        public void Report(SupervisedProgress value) => collect(value);
    }
}
