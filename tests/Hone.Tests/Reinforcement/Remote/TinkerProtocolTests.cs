using Hone.Reinforcement;
using Hone.Testing;
using Hone.Tests.Optimizers;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Reinforcement.Remote;

/// <summary>The JSON that is sent, word for word.</summary>
public sealed class TinkerProtocolTests
{
    private static readonly TrainingDatum[] Data =
    [
        new() { PromptIds = [0], CompletionIds = [3], SamplerLogProbs = [-1.5f], Advantage = 0.5, Predictor = "answer" },
        new() { PromptIds = [1], CompletionIds = [6], SamplerLogProbs = [-1.25f], Advantage = -1, Predictor = "plan" },
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task StartTraining_AsksWhatThereIs_ThenSendsSessionAndModel_AndTheFirstSamplerWhenSomebodySamples()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        await using var session = await TinkerTask.StartAsync(TinkerTask.Options(server), new() { Lora = new() { Rank = 16, Alpha = 32 }, Seed = (1L << 40) + 7 }, Token);
        Assert.Equal(
            [
                "healthz ",
                "get_server_capabilities ",
                """create_session {"type":"create_session","tags":["hone"],"user_metadata":null,"sdk_version":"hone-0.1.0"}""",
                """create_model {"type":"create_model","session_id":"session_1","model_seq_id":0,"base_model":"toy/policy","lora_config":{"rank":16,"seed":7,"train_unembed":false,"train_mlp":true,"train_attn":true}}""",
                """retrieve_future {"request_id":"1"}""",
            ],
            Sent(server));
        var before = server.Requests.Count;
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => session.Policy.GetResponseAsync([new(ChatRole.User, "[[ ## plan ## ]]\n{plan}")], null, Token)));
        Assert.Equal(
            ["""save_weights_for_sampler {"model_id":"model_1","sampling_session_seq_id":1,"seq_id":1,"type":"save_weights_for_sampler"}""", """retrieve_future {"request_id":"2"}"""],
            Sent(server)[before..(before + 2)]);
        Assert.Single(server.Requests, request => request.Operation == "save_weights_for_sampler");
        Assert.All(server.Requests, request => Assert.StartsWith("/api/v1/", request.Path, StringComparison.Ordinal));
        Assert.Equal(0, session.PolicyVersion);
    }

    [Fact]
    public async Task StartTraining_AllWeights_AsksForRankZero()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        await using var session = await TinkerTask.StartAsync(TinkerTask.Options(server), null, Token);
        Assert.Contains("\"lora_config\":{\"rank\":0,\"seed\":0,", Sent(server)[3], StringComparison.Ordinal);
        Assert.True(session.Capabilities.IsFullFineTuning);
    }

    [Fact]
    public async Task GetResponse_SendsTokensAndSampling_AndKeepsTheSampledTokens()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        await using var session = await TinkerTask.StartAsync(TinkerTask.Options(server), null, Token);
        var response = await session.Policy.GetResponseAsync(
            [new(ChatRole.User, "[[ ## plan ## ]]\n{plan}")], new() { Temperature = 0.5f, MaxOutputTokens = 9, Seed = long.MaxValue, StopSequences = ["END"] }, Token);
        Assert.Equal(
            """asample {"type":"sample","prompt":{"chunks":[{"type":"encoded_text","tokens":[1]}]},"num_samples":1,"sampling_params":{"max_tokens":9,"seed":2147483647,"stop":["END"],"temperature":0.5,"top_k":-1,"top_p":1},"sampling_session_id":"sampling_1","seq_id":1}""",
            Sent(server)[^2]);
        var tokens = (SampledTokens)response.AdditionalProperties![SampledTokens.Key]!;
        Assert.Equal([1], tokens.PromptIds);
        Assert.InRange(Assert.Single(tokens.CompletionIds), 5, 8);
        Assert.Equal(Math.Log(0.25), Assert.Single(tokens.LogProbs), 6);
        Assert.Equal((0, 0.5, false), (tokens.PolicyVersion, tokens.Temperature, tokens.IsTruncated));
        Assert.Equal((1L, 1L), (response.Usage!.InputTokenCount, response.Usage.OutputTokenCount));
    }

    /// <summary>Some services stop at nothing but what they are told: every token that ends an answer is.</summary>
    [Fact]
    public async Task GetResponse_ModelWithSeveralEnds_SendsAllOfThem()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        var model = TinkerLM.Open(TinkerTask.Options(server) with { Tokenizer = new SeveralEnds(new ToyTokenizer(ToyTask.Policy().Choices)) });
        await model.AsChatClient().GetResponseAsync("[[ ## plan ## ]]\n{plan}", null, Token);
        Assert.Contains("\"stop\":[2,9]", Sent(server)[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task ForwardBackward_FirstUpdate_SendsWeightsOfTheExactGradient()
    {
        Assert.Equal(
            """forward_backward {"model_id":"model_1","forward_backward_input":{"data":[{"model_input":{"chunks":[{"type":"encoded_text","tokens":[0]}]},"loss_fn_inputs":{"target_tokens":{"data":[3],"dtype":"int64","shape":[1]},"weights":{"data":[0.25],"dtype":"float32","shape":[1]}}},{"model_input":{"chunks":[{"type":"encoded_text","tokens":[1]}]},"loss_fn_inputs":{"target_tokens":{"data":[6],"dtype":"int64","shape":[1]},"weights":{"data":[-0.5],"dtype":"float32","shape":[1]}}}],"loss_fn":"cross_entropy"},"seq_id":1}""",
            Assert.Single(await PassesAsync(Data, TinkerTask.Plain)));
    }

    /// <summary>A service samples with other kernels than it trains with: by default each token is weighed by the difference, up to 2.</summary>
    [Fact]
    public async Task ForwardBackward_AutomaticCorrection_IsTokenTruncate()
    {
        var automatic = await PassesAsync(Data, new());
        Assert.Equal(await PassesAsync(Data, new() { Correction = ImportanceCorrection.TokenTruncate, CorrectionMax = 2 }), automatic);
        Assert.Equal(2, automatic.Count);

        // Without a sampler's record there is nothing to compare with, and nothing is asked for.
        Assert.Single(await PassesAsync([.. Data.Select(datum => datum with { SamplerLogProbs = [] })], new()));
    }

    /// <summary>What teachers wrote has the teacher's probabilities, the policy's own its current ones: one batch of one loss.</summary>
    [Fact]
    public async Task ForwardBackward_RolloutsOfTeachersAmongOwn_AsksForTheCurrentLogProbsOfTheOwn()
    {
        TrainingDatum[] data = [Data[0] with { SamplerLogProbs = [], OldLogProbs = [-1.5f] }, Data[1]];
        var sent = await PassesAsync(data, TinkerTask.Plain);
        Assert.Equal(2, sent.Count);
        Assert.Contains("\"loss_fn\":\"ppo\"", sent[1], StringComparison.Ordinal);
        Assert.Contains("\"logprobs\":{\"data\":[-1.5]", sent[1], StringComparison.Ordinal);
        Assert.Contains("\"logprobs\":{\"data\":[-1.386294", sent[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task ForwardBackward_OldLogProbs_SendsAClippedRatio()
    {
        TrainingDatum[] data = [Data[0] with { OldLogProbs = [-1.5f] }];
        Assert.Equal(
            """forward_backward {"model_id":"model_1","forward_backward_input":{"data":[{"model_input":{"chunks":[{"type":"encoded_text","tokens":[0]}]},"loss_fn_inputs":{"target_tokens":{"data":[3],"dtype":"int64","shape":[1]},"logprobs":{"data":[-1.5],"dtype":"float32","shape":[1]},"advantages":{"data":[0.5],"dtype":"float32","shape":[1]}}}],"loss_fn":"ppo","loss_fn_config":{"clip_low_threshold":0.75,"clip_high_threshold":1.5}},"seq_id":1}""",
            Assert.Single(await PassesAsync(data, new() { EpsilonLow = 0.25, EpsilonHigh = 0.5 })));
        Assert.Contains(
            "\"loss_fn\":\"cispo\",\"loss_fn_config\":{\"clip_low_threshold\":0,\"clip_high_threshold\":5}",
            Assert.Single(await PassesAsync(data, new() { Type = PolicyLossType.Cispo, EpsilonHigh = 5 })), StringComparison.Ordinal);
    }

    [Fact]
    public async Task ForwardBackward_UnlimitedTokenCorrection_IsImportanceSampling()
    {
        var sent = Assert.Single(await PassesAsync(Data, new() { Correction = ImportanceCorrection.TokenTruncate, CorrectionMax = null }));
        Assert.Contains("\"loss_fn\":\"importance_sampling\"", sent, StringComparison.Ordinal);
        Assert.Contains("\"logprobs\":{\"data\":[-1.25],\"dtype\":\"float32\",\"shape\":[1]},\"advantages\":{\"data\":[-0.5],", sent, StringComparison.Ordinal);
    }

    /// <summary>Limits compare with current log-probabilities, so these are asked for first. -1.5 and -1.25 were told; uniform are log 1/3 and log 1/4.</summary>
    [Fact]
    public async Task ForwardBackward_LimitedCorrection_AsksForCurrentLogProbsAndWeighsByThem()
    {
        var sent = await PassesAsync(Data, new() { Correction = ImportanceCorrection.TokenTruncate, CorrectionMax = 1.2 });
        Assert.Equal(2, sent.Count);
        Assert.StartsWith("""forward {"model_id":"model_1","forward_input":""", sent[0], StringComparison.Ordinal);
        var weights = System.Text.Json.JsonDocument.Parse(sent[1][sent[1].IndexOf('{', StringComparison.Ordinal)..]).RootElement.GetProperty("forward_backward_input").GetProperty("data")
            .EnumerateArray().Select(datum => datum.GetProperty("loss_fn_inputs").GetProperty("weights").GetProperty("data")[0].GetDouble()).ToArray();
        Assert.Equal(1.2 * 0.25, weights[0], 9); // exp(log(1/3) + 1.5) = 1.49, cut at 1.2
        Assert.Equal(Math.Exp(Math.Log(0.25) + 1.25) * -0.5, weights[1], 6);
    }

    /// <summary>The alignment of the spec: inputs are all tokens but the last, targets all but the first, and prompts weigh nothing.</summary>
    [Fact]
    public void WritePass_LongerSequence_AlignsEverythingToTheNextToken()
    {
        var datum = new TrainingDatum
        {
            PromptIds = [10, 11, 12],
            CompletionIds = [20, 21],
            SamplerLogProbs = [-1, -2],
            OldLogProbs = [-0.5f, -0.25f],
            Mask = [1, 0],
            Advantage = 2,
        };
        using var stream = new MemoryStream();
        using (var writer = new System.Text.Json.Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            TinkerWire.WritePass(writer, "m", "forward_backward_input", TinkerLoss.Build([datum], new(), null), 3);
            writer.WriteEndObject();
        }

        Assert.Equal(
            """{"model_id":"m","forward_backward_input":{"data":[{"model_input":{"chunks":[{"type":"encoded_text","tokens":[10,11,12,20]}]},"loss_fn_inputs":{"target_tokens":{"data":[11,12,20,21],"dtype":"int64","shape":[4]},"logprobs":{"data":[0,0,-0.5,-0.25],"dtype":"float32","shape":[4]},"advantages":{"data":[0,0,2,0],"dtype":"float32","shape":[4]}}}],"loss_fn":"ppo","loss_fn_config":{"clip_low_threshold":0.8,"clip_high_threshold":1.28}},"seq_id":3}""",
            System.Text.Encoding.UTF8.GetString(stream.ToArray()));
    }

    [Fact]
    public async Task OptimizerStep_SendsAdamAndTakesTheNewWeights()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        await using var session = await TinkerTask.StartAsync(TinkerTask.Options(server), null, Token);
        await session.ForwardBackwardAsync(Data, TinkerTask.Plain, Token);
        var before = server.Requests.Count;
        var step = await session.OptimizerStepAsync(new() { LearningRate = 0.125, WeightDecay = 0.5 }, Token);
        Assert.Equal(
            [
                """optim_step {"model_id":"model_1","adam_params":{"learning_rate":0.125,"beta1":0.9,"beta2":0.999,"eps":1E-08,"weight_decay":0.5,"grad_clip_norm":1},"seq_id":2}""",
                """retrieve_future {"request_id":"3"}""",
                """save_weights_for_sampler {"model_id":"model_1","sampling_session_seq_id":1,"seq_id":3,"type":"save_weights_for_sampler"}""",
                """retrieve_future {"request_id":"4"}""",
            ],
            Sent(server)[before..]);
        Assert.Equal(1, session.PolicyVersion);
        Assert.True(step.GradientNorm > 0);
    }

    /// <summary>The engine goes from the pass to the step without waiting for the client; what comes out is that of both by themselves.</summary>
    [Fact]
    public async Task Update_SubmitsPassAndStepBeforeWaitingForEither()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        await using var session = await TinkerTask.StartAsync(TinkerTask.Options(server) with { MaxSequencesPerRequest = 1 }, null, Token);
        var before = server.Requests.Count;
        var (pass, step) = await session.UpdateAsync(Data, TinkerTask.Plain, new() { LearningRate = 0.125 }, Token);
        Assert.Equal(
            ["forward_backward", "forward_backward", "optim_step", "retrieve_future", "retrieve_future", "retrieve_future", "save_weights_for_sampler", "retrieve_future"],
            server.Requests.Skip(before).Select(request => request.Operation));

        await using var other = FakeTinkerServer.Start(ToyTask.Policy());
        await using var slow = await TinkerTask.StartAsync(TinkerTask.Options(other), null, Token);
        var expected = await slow.ForwardBackwardAsync(Data, TinkerTask.Plain, Token);
        var after = await slow.OptimizerStepAsync(new() { LearningRate = 0.125 }, Token);
        Assert.Equal(expected.LogProbs, pass.LogProbs);
        Assert.Equal((expected.Loss, after.GradientNorm, 1, other.Probability(0, 1)), (pass.Loss, step.GradientNorm, session.PolicyVersion, server.Probability(0, 1)));
    }

    [Fact]
    public async Task LargeBatch_GoesInPartsThatAreSubmittedBeforeAnyIsWaitedFor()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        await using var session = await TinkerTask.StartAsync(TinkerTask.Options(server) with { MaxSequencesPerRequest = 2 }, null, Token);
        var before = server.Requests.Count;
        var result = await session.ForwardBackwardAsync([.. Data, .. Data, Data[0]], TinkerTask.Plain, Token);
        Assert.Equal(
            ["forward_backward", "forward_backward", "forward_backward", "retrieve_future", "retrieve_future", "retrieve_future"],
            server.Requests.Skip(before).Select(request => request.Operation));
        Assert.Equal(5, result.LogProbs.Count);
        Assert.Equal(5, result.ActiveTokens);
        Assert.Contains("\"weights\":{\"data\":[0.1],", server.Requests[^4].Body, StringComparison.Ordinal); // 0.5 over 5 tokens, not over 1
    }

    [Fact]
    public async Task SaveAndLoad_SendNamesAndPaths()
    {
        var directory = Path.Combine(Directory.CreateTempSubdirectory("hone-tinker").FullName, "session");
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        await using var session = await TinkerTask.StartAsync(TinkerTask.Options(server), null, Token);
        await session.SaveStateAsync(directory, Token);
        Assert.Equal("""save_weights {"model_id":"model_1","path":"state-0-1","seq_id":1,"type":"save_weights"}""", Sent(server)[^2]);
        Assert.Equal(
            """
            {
              "baseModel": "toy/policy",
              "path": "tinker://model_1/weights/state-0-1",
              "policyVersion": 0
            }
            """,
            await File.ReadAllTextAsync(Path.Combine(directory, "tinker.json"), Token));
        await using var resumed = await TinkerTask.StartAsync(TinkerTask.Options(server), null, Token);
        await resumed.LoadStateAsync(directory, Token);
        Assert.Equal(
            [
                """load_weights {"model_id":"model_2","path":"tinker://model_1/weights/state-0-1","optimizer":true,"seq_id":1}""",
                """retrieve_future {"request_id":"4"}""",
                """save_weights_for_sampler {"model_id":"model_2","sampling_session_seq_id":1,"seq_id":2,"type":"save_weights_for_sampler"}""",
                """retrieve_future {"request_id":"5"}""",
            ],
            Sent(server)[^4..]);
        await resumed.SnapshotAsync("toy policy: best", Token);
        Assert.Equal("""save_weights_for_sampler {"model_id":"model_2","path":"toy-policy--best-1","seq_id":3,"type":"save_weights_for_sampler"}""", Sent(server)[^2]);
        Directory.Delete(Path.GetDirectoryName(directory)!, recursive: true);
    }

    /// <summary>
    /// A service takes a checkpoint as a model's first request only. One that has learned is given up for a new one, and stays where it may, since snapshots may be sampled from it.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Load_ModelThatHasLearned_IsReplacedByAFreshOne(bool holdsOne)
    {
        var directory = Path.Combine(Directory.CreateTempSubdirectory("hone-tinker").FullName, "session");
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        server.HoldsOneModel = holdsOne;
        var session = await TinkerTask.StartAsync(TinkerTask.Options(server) with { UnloadOnDispose = true }, null, Token);
        await session.SaveStateAsync(directory, Token);
        await session.UpdateAsync(Data, TinkerTask.Plain, new() { LearningRate = 1 }, Token);
        Assert.NotEqual(1 / 3.0, server.Probability(0, 1), 3);
        var before = server.Requests.Count;
        await session.LoadStateAsync(directory, Token);
        string[] made = holdsOne ? ["create_model", "retrieve_future", "unload_model", "retrieve_future", "create_model", "retrieve_future"] : ["create_model", "retrieve_future"];
        Assert.Equal(
            ["load_weights", .. made, "load_weights", "retrieve_future", "save_weights_for_sampler", "retrieve_future"], server.Requests.Skip(before).Select(request => request.Operation));
        Assert.Equal(1 / 3.0, server.Probability(0, 1), 9);
        Assert.Contains($"\"model_seq_id\":{(holdsOne ? 2 : 1)},", server.Requests.Last(request => request.Operation == "create_model").Body, StringComparison.Ordinal);
        Assert.Contains("\"model_id\":\"model_2\",\"path\":\"tinker://model_1/weights/state-0-1\",\"optimizer\":true,\"seq_id\":1}", server.Requests.Last(request => request.Operation == "load_weights").Body, StringComparison.Ordinal);
        Assert.Equal(0, session.PolicyVersion);

        await session.UpdateAsync(Data, TinkerTask.Plain, new() { LearningRate = 1 }, Token);
        Assert.NotEqual(1 / 3.0, server.Probability(0, 1), 3);
        await session.DisposeAsync();
        Assert.Equal(["model_1", "model_2"], server.Requests.Where(request => request.Operation == "unload_model").Select(request => request.Body[13..^2]));
        Directory.Delete(Path.GetDirectoryName(directory)!, recursive: true);
    }

    [Fact]
    public async Task Load_ServiceThatLoadsAtAnyTime_KeepsTheModel()
    {
        var directory = Path.Combine(Directory.CreateTempSubdirectory("hone-tinker").FullName, "session");
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        server.LoadsAtAnyTime = true;
        await using var session = await TinkerTask.StartAsync(TinkerTask.Options(server), null, Token);
        await session.SaveStateAsync(directory, Token);
        await session.LoadStateAsync(directory, Token);
        Assert.Single(server.Requests, request => request.Operation == "create_model");
        Directory.Delete(Path.GetDirectoryName(directory)!, recursive: true);
    }

    /// <summary>The checkpoint was loaded and the answer got lost: sent again it is no first request any more.</summary>
    [Fact]
    public async Task Load_ConnectionCutInTheAnswer_IsLoadedIntoAFreshModel()
    {
        var directory = Path.Combine(Directory.CreateTempSubdirectory("hone-tinker").FullName, "session");
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        await using (var session = await TinkerTask.StartAsync(TinkerTask.Options(server), null, Token))
            await session.SaveStateAsync(directory, Token);
        await using var resumed = await TinkerTask.StartAsync(TinkerTask.Options(server, time: new LeapingClock()), null, Token);
        server.Inject(new(ServerFaultKind.CutBody, "load_weights"));
        await resumed.LoadStateAsync(directory, Token);
        Assert.Equal(["model_2", "model_2", "model_3"], server.Requests.Where(request => request.Operation == "load_weights").Select(request => request.Body[13..20]));
        Directory.Delete(Path.GetDirectoryName(directory)!, recursive: true);
    }

    [Fact]
    public async Task Dispose_AskedTo_UnloadsTheModel()
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        await (await TinkerTask.StartAsync(TinkerTask.Options(server) with { UnloadOnDispose = true }, null, Token)).DisposeAsync();
        Assert.Equal("""unload_model {"model_id":"model_1"}""", Sent(server)[^1]);
    }

    [Fact]
    public async Task Heartbeat_GoesOutAtItsInterval_UntilTheSessionEnds()
    {
        var time = new Microsoft.Extensions.Time.Testing.FakeTimeProvider();
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        var session = await TinkerTask.StartAsync(TinkerTask.Options(server, time: time) with { HeartbeatInterval = TimeSpan.FromSeconds(10), RequestTimeout = TimeSpan.FromDays(1) }, null, Token);
        time.Advance(TimeSpan.FromSeconds(10));
        while (server.Requests[^1].Operation != "session_heartbeat")
            await Task.Yield();
        Assert.Equal("""session_heartbeat {"session_id":"session_1","type":"session_heartbeat"}""", Sent(server)[^1]);
        await session.DisposeAsync();
        var count = server.Requests.Count;
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(count, server.Requests.Count);
    }

    private sealed class SeveralEnds(ToyTokenizer inner) : IPolicyTokenizer
    {
        public IReadOnlyList<int> StopIds => [2, 9];

        public IReadOnlyList<int> Encode(IReadOnlyList<ChatMessage> messages) => inner.Encode(messages);

        public IReadOnlyList<int> EncodeAnswer(string text) => inner.EncodeAnswer(text);

        public string Decode(IReadOnlyList<int> ids) => inner.Decode(ids);
    }

    private static string[] Sent(FakeTinkerServer server) => [.. server.Requests.Select(request => $"{request.Operation} {request.Body}")];

    private static async Task<IReadOnlyList<string>> PassesAsync(IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss)
    {
        await using var server = FakeTinkerServer.Start(ToyTask.Policy());
        await using var session = await TinkerTask.StartAsync(TinkerTask.Options(server), null, Token);
        await session.ForwardBackwardAsync(data, loss, Token);
        return [.. Sent(server).Where(line => line.StartsWith("forward", StringComparison.Ordinal))];
    }
}
