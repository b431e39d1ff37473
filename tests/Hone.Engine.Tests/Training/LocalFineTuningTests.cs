using Hone.Optimizers;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Engine.Tests.Training;

public sealed class LocalFineTuningTests : IDisposable
{
    private readonly string directory = Path.Combine(Path.GetTempPath(), $"hone-tuned-{Guid.NewGuid():N}");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task TuneAsync_SameRowsInTheSameDirectory_LoadsTheWeights()
    {
        var student = Predict.Parse("colour -> action").WithModel(EngineLM.Embedded());
        var teacher = student.WithModel(new LM(ScriptedChatClient.By((_, _) => ScriptedChatClient.ChatText(FieldMap.Of(("action", "stop"))))));
        Example<FieldMap, FieldMap>[] train = [new(FieldMap.Of(("colour", "red")), FieldMap.Of(("action", "stop"))), new(FieldMap.Of(("colour", "crimson")), FieldMap.Of(("action", "stop")))];
        var steps = 0;
        var first = await Optimizer(3).CompileAsync(student, train, cancellationToken: Token);
        Assert.True(Directory.Exists(Path.Combine(directory, "finetune", "all", "weights")));
        Assert.NotNull(ProgramFile.WeightsDirectoryOf(Path.Combine(directory, "best.json")));
        Assert.Equal(3, steps);
        steps = 0;
        var second = await Optimizer(3).CompileAsync(student, train, cancellationToken: Token);
        Assert.Equal(0, steps);
        Assert.Equal(await AnswerAsync(first.Program), await AnswerAsync(second.Program));

        // Other settings tune anew.
        await Optimizer(1).CompileAsync(student, train, cancellationToken: Token);
        Assert.Equal(1, steps);

        BootstrapFinetune<FieldMap, FieldMap> Optimizer(int epochs) => new(Metric.From<FieldMap, FieldMap>((_, output) => Equals("stop", output["action"])), new() { RunDirectory = directory, Resume = true })
        {
            Teachers = [teacher],
            Provider = new LocalFineTuning(new() { Epochs = epochs, LearningRate = 5e-4, Progress = new Counter(() => steps++) }),
        };
    }

    private static async Task<string> AnswerAsync(Program<FieldMap, FieldMap> program) =>
        (await program.Model!.AsChatClient().GetResponseAsync([new(ChatRole.User, "red")], new() { Temperature = 0, MaxOutputTokens = 24 }, Token)).Text;

    private sealed class Counter(Action count) : IProgress<SupervisedProgress>
    {
        public void Report(SupervisedProgress value) => count();
    }
}
