using Hone.Optimizers;
using Hone.Reinforcement;
using Hone.Testing;

namespace Hone.Tests.Optimizers.Finetune;

/// <summary>Supervised jobs of an Arbor server that offers them, and of one that does not.</summary>
public sealed class ArborFineTuningTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tune_ServerWithJobs_LearnsWhatTheTeacherAnswers()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        server.OffersJobs = true;
        var provider = New(server, new() { PollInterval = TimeSpan.FromMilliseconds(1), Suffix = "hop", Seed = 5, Gpus = 1 });
        Assert.True(await provider.IsOfferedAsync(Token));

        var result = await Distil(server, provider);

        Assert.Equal("ftjob:toy-1:20260102_model", result.Program.Model!.Name);
        Assert.Contains(
            """{"model":"toy/policy","training_file":"file-1","method":{"type":"supervised"},"suffix":"hop","num_gpus":1,"seed":5}""",
            server.Requests.Select(request => request.Body));
        var answers = await result.Program.RunBatchAsync([.. Enumerable.Range(0, 20).Select(i => new ToyQuestion($"q{i}"))], new() { MaxErrors = 20 }, new() { Seed = 1, Recovery = RecoveryPolicy.None }, Token);
        Assert.True(answers.Count(answer => answer.Succeeded && answer.Value!.Value.Answer == "good/right") > 15);
    }

    [Fact]
    public async Task Tune_ServerWithoutJobs_IsRefusedBeforeAnythingIsUploaded()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        var provider = New(server, new());
        Assert.False(await provider.IsOfferedAsync(Token));

        var error = await Assert.ThrowsAsync<HoneException>(() => Distil(server, provider));

        Assert.IsType<TrainingNotSupportedException>(error.InnerException);
        Assert.Contains("has no fine_tuning/jobs", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(server.Requests, request => request.Operation is "files");
    }

    private static ArborFineTuning New(FakeArborServer server, ArborFineTuningOptions options) => new(ServerOptions(server), options);

    private static ArborOptions ServerOptions(FakeArborServer server) => new() { Model = FakeArborServer.BaseModel, Address = server.Address };

    private static Task<OptimizationResult<ToyQuestion, ToyAnswer>> Distil(FakeArborServer server, ArborFineTuning provider)
    {
        var teacher = ScriptedChatClient.By((request, _) => request.Path == "plan" ? ToyTask.Completion("plan", "good") : ToyTask.Completion("answer", "right"));
        var student = new ToyProgram().WithModel(ArborLM.Open(ServerOptions(server)));
        var optimizer = new BootstrapFinetune<ToyQuestion, ToyAnswer>(ToyTask.Metric) { Provider = provider, Teachers = [new ToyProgram().WithModel(new LM(teacher, "teacher"))] };
        return optimizer.CompileAsync(student, ToyTask.Train, cancellationToken: Token);
    }
}
