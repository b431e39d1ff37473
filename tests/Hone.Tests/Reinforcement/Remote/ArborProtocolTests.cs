using Hone.Optimizers;
using Hone.Reinforcement;
using Hone.Testing;
using Hone.Tests.Optimizers;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Reinforcement.Remote;

/// <summary>The JSON that is sent to Arbor, word for word, and what is refused before anything is sent.</summary>
public sealed class ArborProtocolTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Initialize_SendsTheWholePlan_AtTheFirstUseOnly()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        var run = ArborTask.Run with { Loss = new() { Type = PolicyLossType.DrGrpo, MaxCompletionLength = 4096 }, Lora = new() { Targets = ["q_proj"] }, LearningRate = 1e-5 };
        await using var session = await ArborTask.StartAsync(ArborTask.Options(server) with { RunName = "hop", TrainingGpus = 2, PerDeviceBatchSize = 4, WarmupGroups = 7 }, run, Token);
        Assert.Empty(server.Requests);
        await session.Policy.GetResponseAsync([new(ChatRole.User, "[[ ## plan ## ]]\n{plan}")], null, Token);
        Assert.Equal(
            """initialize {"run_name":"hop","model":"toy/policy","trainer_config":{"temperature":1,"beta":0,"num_generations":8,"per_device_train_batch_size":4,"learning_rate":1E-05,"gradient_accumulation_steps":1,"gradient_checkpointing":true,"lr_scheduler_type":"constant_with_warmup","scale_rewards":true,"max_grad_norm":1,"mask_truncated_completions":true,"max_seq_len":4096,"lora_config":{"r":8,"lora_alpha":16,"target_modules":["q_proj"],"lora_dropout":0},"max_steps":1000000,"warmup_steps":7,"loss_type":"dr_grpo","num_training_gpus":2,"weight_decay":0},"inference_config":{"model":"toy/policy","max_seq_len":4096,"num_gpus":1},"gpu_config":{"type":"multi","multi":{"num_inference_gpus":1,"num_training_gpus":2}}}""",
            Sent(server)[0]);
        Assert.Equal("/v1/fine_tuning/grpo/initialize", server.Requests[0].Path);
    }

    [Fact]
    public async Task Chat_SendsTheJobsModel()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        await using var session = await ArborTask.StartAsync(ArborTask.Options(server), null, Token);
        var response = await session.Policy.GetResponseAsync(
            [new(ChatRole.System, "Be brief."), new(ChatRole.User, "[[ ## plan ## ]]\n{plan}")],
            new() { Temperature = 1, TopP = 1, MaxOutputTokens = 9, Seed = 7, StopSequences = ["END"] }, Token);
        Assert.Equal(
            """completions {"model":"grpo:policy:toy-run-1:20260102","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"[[ ## plan ## ]]\n{plan}"}],"temperature":1,"top_p":1,"max_tokens":9,"seed":7,"stop":["END"]}""",
            Sent(server)[1]);
        Assert.Equal(1, response.Usage!.OutputTokenCount);
        Assert.Null(response.AdditionalProperties);
    }

    [Fact]
    public async Task Serving_LaunchAndStop_SendWhatArborTakes()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        var options = ArborTask.Options(server) with { InferenceGpus = 2, MaxSequenceLength = 2048 };

        var id = await ArborServing.LaunchAsync(options, Token);
        Assert.Equal(id, await ArborServing.LaunchAsync(options, Token));
        Assert.Equal(["toy/policy"], server.Launched);
        await ArborServing.StopAsync(options, id, Token);
        Assert.Empty(server.Launched);
        await ArborServing.LaunchAsync(options, Token);
        await ArborServing.StopAllAsync(options, Token);

        Assert.Empty(server.Launched);
        Assert.Equal(
            [
                """launch {"model":"toy/policy","max_seq_len":2048,"num_gpus":2}""", """launch {"model":"toy/policy","max_seq_len":2048,"num_gpus":2}""",
                """kill {"job_id":"infer:policy:1"}""", """launch {"model":"toy/policy","max_seq_len":2048,"num_gpus":2}""", """kill {"job_id":"*"}""",
            ],
            Sent(server));
    }

    [Fact]
    public async Task Serving_WhatArborRefuses_IsTold()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        var options = ArborTask.Options(server) with { RetryWindow = TimeSpan.Zero };

        var unknown = await Assert.ThrowsAnyAsync<TrainingServiceException>(() => ArborServing.StopAsync(options, "infer:nobody", Token));
        var missing = await Assert.ThrowsAnyAsync<TrainingServiceException>(() => ArborServing.LaunchAsync(options with { Model = "no/such" }, Token));
        var all = await Assert.ThrowsAsync<ArgumentException>(() => ArborServing.StopAsync(options, "*", Token));

        Assert.Equal(("chat/kill", 400), (unknown.Operation, unknown.Status));
        Assert.Contains("infer:nobody", unknown.Message, StringComparison.Ordinal);
        Assert.Equal("chat/launch", missing.Operation);
        Assert.Contains("no/such is not a model", missing.Message, StringComparison.Ordinal);
        Assert.Contains("StopAllAsync", all.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Step_SendsEachGroupUnderItsNumber_WhenItIsAskedFor()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        var run = ArborTask.Run with { RolloutsPerExample = 2 };
        await using var session = await ArborTask.StartAsync(ArborTask.Options(server), run, Token);
        var pass = await session.ForwardBackwardAsync([.. ArborTask.Group(0, 2), .. ArborTask.Group(5, 2), .. ArborTask.Group(9, 2)], run.Loss, Token);
        Assert.Equal(6, pass.LogProbs.Count);
        Assert.True(double.IsNaN(pass.Loss));
        Assert.Empty(server.Requests);
        await session.OptimizerStepAsync(run.Plan.Optimizer, Token);
        Assert.Equal(["initialize", "status", "step", "status", "step", "status", "step", "status"], server.Requests.Select(request => request.Operation));
        Assert.Equal(
            """step {"job_id":"grpo:policy:toy-run-1:20260102","model":"grpo:policy:toy-run-1:20260102","batch_id":0,"batch":[{"messages":[{"role":"user","content":"[[ ## answer ## ]]\n{answer}"}],"completion":{"role":"assistant","content":"[[ ## answer ## ]]\nwrong\n\n[[ ## completed ## ]]\n"},"reward":0},{"messages":[{"role":"user","content":"[[ ## answer ## ]]\n{answer}"}],"completion":{"role":"assistant","content":"[[ ## answer ## ]]\nright\n\n[[ ## completed ## ]]\n"},"reward":1}]}""",
            Sent(server)[2]);
        Assert.Contains("\"batch_id\":1,", Sent(server)[4], StringComparison.Ordinal);
        Assert.Contains("\"batch_id\":2,", Sent(server)[6], StringComparison.Ordinal);
        Assert.Equal(1, session.PolicyVersion);
        Assert.Equal(3, server.GroupsTrained);
    }

    [Fact]
    public async Task ForwardBackward_GroupThatIsNotFull_IsFilledWithItsOwnMembersAndLogged()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        var log = new Clients.ListLogger();
        await using var session = await ArborTask.StartAsync(ArborTask.Options(server) with { Logger = log }, null, Token);
        await session.ForwardBackwardAsync([.. ArborTask.Group(0), .. ArborTask.Group(1, 3)], ArborTask.Run.Loss, Token);
        var step = await session.OptimizerStepAsync(ArborTask.Run.Plan.Optimizer, Token);
        Assert.Equal((2, 2), (server.GroupsTrained, step.Staleness));
        using var body = System.Text.Json.JsonDocument.Parse(server.Requests.Last(request => request.Operation == "step").Body);
        Assert.Equal([0, 1, 0, 0, 1, 0, 0, 1], body.RootElement.GetProperty("batch").EnumerateArray().Select(member => member.GetProperty("reward").GetDouble()));
        Assert.Contains(log.Lines, line => line.Text.StartsWith("1 groups have fewer than 8 members", StringComparison.Ordinal));
    }

    [Fact]
    public async Task MaxStaleness_OfAStepWithMoreGroups_SendsSoManyAndLogsTheRest()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        var log = new Clients.ListLogger();
        await using var session = await ArborTask.StartAsync(ArborTask.Options(server) with { MaxStaleness = 2, Logger = log }, null, Token);
        var taken = new HashSet<int>();
        for (var round = 0; round < 6; round++)
        {
            var before = server.Requests.Count;
            await session.ForwardBackwardAsync([.. Enumerable.Range(0, 4).SelectMany(group => Marked(group))], ArborTask.Run.Loss, Token);
            Assert.Equal(2, (await session.OptimizerStepAsync(ArborTask.Run.Plan.Optimizer, Token)).Staleness);
            foreach (var request in server.Requests.Skip(before).Where(request => request.Operation == "step"))
                taken.UnionWith(Enumerable.Range(0, 4).Where(group => request.Body.Contains($"mark {group}", StringComparison.Ordinal)));
        }

        Assert.Equal((12, 6), (server.GroupsTrained, log.Lines.Count(line => line.Text.StartsWith("2 groups of a step are left out", StringComparison.Ordinal))));
        Assert.Equal([0, 1, 2, 3], taken.Order()); // no group is left out for good
        Assert.Throws<ArgumentOutOfRangeException>(() => ArborTask.Options(server) with { MaxStaleness = 0 });

        static IEnumerable<TrainingDatum> Marked(int group) => ArborTask.Group(group).Select(datum => datum with
        {
            Text = datum.Text! with { Messages = [new(ChatRole.System, $"mark {group}"), .. datum.Text!.Messages] },
        });
    }

    [Fact]
    public async Task Chat_LogProbs_AreAskedForAndRead()
    {
        await using var server = FakeArborServer.Start(ToyTask.ReadablePolicy());
        var program = new ToyProgram().WithModel(ArborLM.Open(ArborTask.Options(server)));
        var silent = await program.RunAsync(new("q"), new() { Options = new() { Temperature = 1 }, Seed = 4, Recovery = RecoveryPolicy.None }, Token);
        Assert.DoesNotContain("logprobs", server.Requests[0].Body, StringComparison.Ordinal);
        Assert.Empty(silent.Trace.Calls[0].GetLogProbs());

        var told = await program.RunAsync(new("q"), new() { Options = new() { Temperature = 1, LogProbs = true }, Seed = 4, Recovery = RecoveryPolicy.None }, Token);
        Assert.Contains("\"logprobs\":true", server.Requests[^1].Body, StringComparison.Ordinal);
        Assert.Equal(Math.Log(1 / 3d), Assert.Single(told.Trace.Calls[0].GetLogProbs()).LogProb, 6);
    }

    /// <summary>Arbor would learn from a teacher's texts as if the policy had written them.</summary>
    [Fact]
    public async Task CompileAsync_Teachers_AreRefusedBeforeAnythingIsAsked()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        var optimizer = new Grpo<ToyQuestion, ToyAnswer>(ToyTask.Metric, ArborTask.Run) { Teachers = [ToyTask.Program(ToyTask.Policy())] };
        var error = await Assert.ThrowsAsync<TrainingNotSupportedException>(() =>
            optimizer.CompileAsync(new ToyProgram().WithModel(ArborLM.Open(ArborTask.Options(server))), ToyTask.Train, null, Token));
        Assert.Equal(["Teachers"], error.Options);
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task StaleNumbers_AreNotTakenForNewOnes()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        server.StaleAnswers = 5;
        await using var session = await ArborTask.StartAsync(ArborTask.Options(server), null, Token);
        await session.ForwardBackwardAsync([.. ArborTask.Group(0), .. ArborTask.Group(1), .. ArborTask.Group(2), .. ArborTask.Group(3)], ArborTask.Run.Loss, Token);
        await session.OptimizerStepAsync(ArborTask.Run.Plan.Optimizer, Token);
        Assert.Equal(4, server.Requests.Count(request => request.Operation == "step"));
        Assert.Equal(4, server.GroupsTrained);
    }

    [Fact]
    public async Task SomeoneElseFeedsTheJob_IsNoticed()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        await using var session = await ArborTask.StartAsync(ArborTask.Options(server), null, Token);
        await session.Policy.GetResponseAsync([new(ChatRole.User, "[[ ## plan ## ]]\n{plan}")], null, Token);
        await using var other = await ArborTask.StartAsync(ArborTask.Options(server) with { AtEnd = ArborJobEnd.Keep }, null, Token);
        var directory = Path.Combine(Directory.CreateTempSubdirectory("hone-arbor").FullName, "session");
        await session.SaveStateAsync(directory, Token);
        await other.LoadStateAsync(directory, Token);
        await other.ForwardBackwardAsync(ArborTask.Group(0), ArborTask.Run.Loss, Token);
        await other.OptimizerStepAsync(ArborTask.Run.Plan.Optimizer, Token);
        await session.ForwardBackwardAsync(ArborTask.Group(0), ArborTask.Run.Loss, Token);
        var error = await Assert.ThrowsAsync<TrainingStateLostException>(() => session.OptimizerStepAsync(ArborTask.Run.Plan.Optimizer, Token));
        Assert.Contains("someone else", error.Message, StringComparison.Ordinal);
        Directory.Delete(Path.GetDirectoryName(directory)!, recursive: true);
    }

    [Fact]
    public async Task AllGroupsOfTheJobSent_SaysWhichOption()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        await using var session = await ArborTask.StartAsync(ArborTask.Options(server) with { MaxGroups = 2 }, null, Token);
        await session.ForwardBackwardAsync([.. ArborTask.Group(0), .. ArborTask.Group(1)], ArborTask.Run.Loss, Token);
        await session.OptimizerStepAsync(ArborTask.Run.Plan.Optimizer, Token);
        await session.ForwardBackwardAsync(ArborTask.Group(0), ArborTask.Run.Loss, Token);
        var error = await Assert.ThrowsAsync<TrainingServiceException>(() => session.OptimizerStepAsync(ArborTask.Run.Plan.Optimizer, Token));
        Assert.Contains("ArborOptions.MaxGroups", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancellation_StopsPolling()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        var session = await ArborTask.StartAsync(ArborTask.Options(server) with { AtEnd = ArborJobEnd.Keep }, null, Token);
        await session.Policy.GetResponseAsync([new(ChatRole.User, "[[ ## plan ## ]]\n{plan}")], null, Token);
        server.IsTrainerDead = true;
        await session.ForwardBackwardAsync(ArborTask.Group(0), ArborTask.Run.Loss, Token);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var waiting = session.OptimizerStepAsync(ArborTask.Run.Plan.Optimizer, cancel.Token);
        while (server.Requests.Count(request => request.Operation == "status") < 5)
            await Task.Yield();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        var asked = server.Requests.Count;
        await session.DisposeAsync();
        Assert.InRange(server.Requests.Count - asked, 0, 1);
    }

    [Fact]
    public async Task UnreadableStatus_IsAnError()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        await using var session = await ArborTask.StartAsync(ArborTask.Options(server), null, Token);
        server.Inject(new(ServerFaultKind.NullBody, "initialize"));
        var error = await Assert.ThrowsAsync<TrainingServiceException>(() => session.SnapshotAsync("best", Token));
        Assert.Equal("fine_tuning/grpo/initialize", error.Operation);
        using var document = System.Text.Json.JsonDocument.Parse("""{"job_id":"j","current_model":"j","pending_batch_ids":["0"]}""");
        Assert.Throws<TrainingServiceException>(() => ArborStatus.Read("status", document.RootElement));
    }

    [Fact]
    public async Task ScoreAsync_SaysThatArborCannot()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        await using var session = await ArborTask.StartAsync(ArborTask.Options(server), null, Token);
        Assert.False(session.Capabilities.CanScore);
        Assert.False(session.Capabilities.CanRestore);
        Assert.True(session.Capabilities.LearnsFromText);
        await Assert.ThrowsAsync<TrainingNotSupportedException>(async () => await session.ScoreAsync([], 1, Token));
    }

    [Theory]
    [MemberData(nameof(Inexpressible))]
    public async Task Compile_WhatArborCannotDo_IsRefusedBeforeAnythingIsSent(string option, GrpoOptions options)
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        var program = new ToyProgram().WithModel(ArborLM.Open(ArborTask.Options(server)));
        var error = await Assert.ThrowsAsync<TrainingNotSupportedException>(() => Grpo.Create(ToyTask.Metric, options).CompileAsync(program, ToyTask.Train, null, Token));
        Assert.Contains(option, error.Options);
        Assert.Empty(server.Requests);
    }

    public static TheoryData<string, GrpoOptions> Inexpressible => new()
    {
        { "Loss.Type", ArborTask.Run with { Loss = new() { Type = PolicyLossType.Cispo, EpsilonHigh = 5 } } },
        { "Loss.Beta", ArborTask.Run with { Loss = new() { Beta = 0.1 } } },
        { "Loss.Delta", ArborTask.Run with { Loss = new() { Delta = 2 } } },
        { "Loss.Correction", ArborTask.Run with { Loss = new() { Correction = ImportanceCorrection.TokenMask } } },
        { "Loss.OffPolicyThreshold", ArborTask.Run with { Loss = new() { OffPolicyThreshold = 1 } } },
        { "Loss.NormalizePerPredictor", ArborTask.Run with { Loss = new() { NormalizePerPredictor = true } } },
        { "PartWeights", ArborTask.Run with { PartWeights = System.Collections.Immutable.ImmutableSortedDictionary<string, double>.Empty.Add("style", 1) } },
        { "UpdatesPerBatch", ArborTask.Run with { UpdatesPerBatch = 2 } },
        { "Scaling", ArborTask.Run with { Scaling = AdvantageScaling.Batch } },
        { "Schedule", ArborTask.Run with { Schedule = ScheduleKind.Cosine } },
        { "Optimizer.Beta2", ArborTask.Run with { Optimizer = new() { LearningRate = 0, Beta2 = 0.95 } } },
    };

    [Fact]
    public async Task StartTraining_BatchesThatTheServerWouldRefuse_AreRefusedHere()
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        var error = await Assert.ThrowsAsync<TrainingNotSupportedException>(() => ArborTask.StartAsync(ArborTask.Options(server) with { PerDeviceBatchSize = 3 }, null, Token));
        Assert.Equal(["ArborOptions.PerDeviceBatchSize"], error.Options);
    }

    /// <summary>Arbor divides by its longest sequence, and takes a longest completion in that one's place: prompts would lose their beginning.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(256)]
    public async Task StartTraining_DrGrpoOfAnotherLengthThanTheSequences_IsRefused(int length)
    {
        await using var server = FakeArborServer.Start(ToyTask.Policy());
        var run = ArborTask.Run with { Loss = new() { Type = PolicyLossType.DrGrpo, MaxCompletionLength = length } };
        var error = await Assert.ThrowsAsync<TrainingNotSupportedException>(() => ArborTask.StartAsync(ArborTask.Options(server), run, Token));
        Assert.Equal(["Loss.MaxCompletionLength"], error.Options);
        Assert.Contains("ArborOptions.MaxSequenceLength (4096)", error.Message, StringComparison.Ordinal);
    }

    private static string[] Sent(FakeArborServer server) => [.. server.Requests.Select(request => $"{request.Operation} {request.Body}")];
}
