using System.Net;
using System.Text;
using System.Text.Json;

namespace Hone.Testing.Tests.Remote;

/// <summary>What the fake servers answer to anyone, whatever client speaks to them.</summary>
public sealed class FakeServerTests
{
    private const string Config = """{"num_generations":2,"per_device_train_batch_size":2,"learning_rate":1,"max_steps":3}""";
    private static readonly ToyPolicy Policy = new(new ToyChoice("x", "a", "b"), new ToyChoice("y", "c", "d", "e"));
    private static readonly HttpClient Http = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tinker_Health_AndSupportedModels()
    {
        await using var server = FakeTinkerServer.Start(Policy);
        Assert.Equal("""{"status":"ok"}""", await Http.GetStringAsync(new Uri(server.Address, "api/v1/healthz"), Token));
        Assert.Contains(FakeTinkerServer.BaseModel, await Http.GetStringAsync(new Uri(server.Address, "api/v1/get_server_capabilities"), Token), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("session_heartbeat", """{"session_id":"none"}""", 404)]
    [InlineData("create_session", """{"tags":[]}""", 422)]
    [InlineData("create_model", """{"session_id":"none","base_model":"toy/policy","lora_config":{"rank":1}}""", 404)]
    [InlineData("create_model", """{"session_id":"session_1","base_model":"toy/policy","lora_config":{}}""", 422)]
    [InlineData("create_model", """{"session_id":"session_1","base_model":"other","lora_config":{"rank":1}}""", 400)]
    [InlineData("optim_step", """{"model_id":"none","adam_params":{}}""", 404)]
    [InlineData("forward_backward", """{"model_id":"model_1","forward_backward_input":{"data":[],"loss_fn":"odd"}}""", 422)]
    [InlineData("forward_backward", """{"model_id":"model_1","forward_backward_input":{"data":[],"loss_fn":"cispo","loss_fn_config":{"eps":1}}}""", 422)]
    [InlineData("asample", """{"prompt":{"chunks":[{"tokens":[0]}]},"sampling_params":{},"base_model":"toy/policy"}""", 400)]
    [InlineData("asample", """{"prompt":{"chunks":[{"tokens":[0]}]},"sampling_params":{"max_tokens":1}}""", 422)]
    [InlineData("asample", """{"prompt":{"chunks":[{"tokens":[0,1]}]},"sampling_params":{"max_tokens":1},"base_model":"toy/policy"}""", 400)]
    [InlineData("save_weights", """{"model_id":"model_1","path":"a/b"}""", 422)]
    [InlineData("load_weights", """{"model_id":"model_1","path":"tinker://model_1/weights/none"}""", 404)]
    [InlineData("retrieve_future", """{"request_id":"99"}""", 404)]
    [InlineData("retrieve_future", "not json", 422)]
    [InlineData("odd", "{}", 404)]
    public async Task Tinker_Refuses(string operation, string body, int status)
    {
        await using var server = await TinkerWithModelAsync();
        Assert.Equal((HttpStatusCode)status, (await PostAsync(new Uri(server.Address, $"api/v1/{operation}"), body)).Status);
    }

    [Fact]
    public async Task Tinker_SameNumberTwice_IsDoneOnce_AndNamesAreUnique()
    {
        await using var server = await TinkerWithModelAsync();
        Uri At(string operation) => new(server.Address, $"api/v1/{operation}");
        var pass = """{"model_id":"model_1","forward_backward_input":{"data":[{"model_input":{"chunks":[{"type":"encoded_text","tokens":[0]}]},"loss_fn_inputs":{"target_tokens":{"data":[2]},"weights":{"data":[1]}}}],"loss_fn":"cross_entropy"},"seq_id":1}""";
        var step = """{"model_id":"model_1","adam_params":{"learning_rate":1},"seq_id":2}""";
        var first = await PostAsync(At("forward_backward"), pass);
        Assert.Equal(first.Text, (await PostAsync(At("forward_backward"), pass)).Text);
        await PostAsync(At("optim_step"), step);
        await PostAsync(At("optim_step"), step);
        Assert.Equal(1 / (1 + Math.Exp(-1)), server.Probability(0, 0), 9); // logits 0.5 and -0.5
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(At("save_weights"), """{"model_id":"model_1","path":"one"}""")).Status);
        Assert.Equal(HttpStatusCode.Conflict, (await PostAsync(At("save_weights"), """{"model_id":"model_1","path":"one"}""")).Status);
    }

    [Fact]
    public async Task Tinker_DeadEngine_IsNeverReady()
    {
        await using var server = await TinkerWithModelAsync();
        server.IsEngineDead = true;
        await PostAsync(new Uri(server.Address, "api/v1/optim_step"), """{"model_id":"model_1"}""");
        var number = server.Requests.Count; // requests made results 1 to n - 1, the session none
        Assert.Equal(HttpStatusCode.RequestTimeout, (await PostAsync(new Uri(server.Address, "api/v1/retrieve_future"), $"{{\"request_id\":\"{number - 1}\"}}")).Status);
    }

    [Theory]
    [InlineData("initialize", """{"model":"toy/policy","trainer_config":{"top_p":1},"inference_config":{"model":"toy/policy"}}""", 422)]
    [InlineData("initialize", """{"model":"toy/policy","trainer_config":{},"inference_config":{"model":"toy/policy"},"odd":1}""", 422)]
    [InlineData("initialize", """{"model":"toy/policy","trainer_config":{"num_generations":1,"max_steps":1},"inference_config":{"model":"toy/policy"}}""", 400)]
    [InlineData("initialize", """{"model":"toy/policy","trainer_config":{"num_generations":3,"max_steps":1},"inference_config":{"model":"toy/policy"}}""", 400)]
    [InlineData("initialize", """{"model":"toy/policy","trainer_config":{"lora_config":{"r":8}},"inference_config":{"model":"toy/policy"}}""", 422)]
    [InlineData("status", """{"job_id":"none"}""", 400)]
    [InlineData("status", """{"job_id":"none","odd":1}""", 422)]
    [InlineData("cancel", """{"job_id":"none"}""", 404)]
    [InlineData("step", """{"job_id":"grpo:policy:run:20260102","model":"m","batch_id":0,"batch":[{"messages":[],"completion":{},"reward":0}]}""", 500)]
    [InlineData("step", """{"job_id":"grpo:policy:run:20260102","model":"m","batch_id":0,"batch":[{"messages":[{"role":"user","content":"x"}],"completion":{"role":"assistant","content":"a"},"reward":0}]}""", 400)]
    [InlineData("step", """{"job_id":"grpo:policy:run:20260102","model":"m","batch_id":0,"batch":[{"messages":[]}]}""", 400)]
    [InlineData("step", """{"job_id":"grpo:policy:run:20260102","model":"m","batch":[]}""", 422)]
    public async Task Arbor_Refuses(string operation, string body, int status)
    {
        await using var server = await ArborWithJobAsync();
        Assert.Equal((HttpStatusCode)status, (await PostAsync(new Uri(server.Address, $"fine_tuning/grpo/{operation}"), body)).Status);
    }

    /// <summary>Two numbers at first, then one at a time, none beyond the last; the sampler's weights are one group behind.</summary>
    [Fact]
    public async Task Arbor_Numbers_ComeAsTheTrainerAsks()
    {
        await using var server = await ArborWithJobAsync();
        Assert.Equal("0, 1", string.Join(", ", await PendingAsync(server, "status", """{"job_id":"grpo:policy:run:20260102"}""")));
        Assert.Equal("1", string.Join(", ", await PendingAsync(server, "step", Group(7)))); // the number that is sent does not matter
        Assert.Equal("2", string.Join(", ", await PendingAsync(server, "step", Group(7))));
        Assert.Equal(2, server.GroupsTrained);
        Assert.Empty(await PendingAsync(server, "step", Group(0)));
        Assert.Equal(3, server.GroupsTrained);
        Assert.True(server.Probability(0, 0) > 0.7);
    }

    [Fact]
    public async Task Arbor_Terminated_StillChats_AndUnknownModelsAreNull()
    {
        await using var server = await ArborWithJobAsync();
        await PostAsync(new Uri(server.Address, "fine_tuning/grpo/terminate"), """{"job_id":"grpo:policy:run:20260102"}""");
        var chat = await PostAsync(new Uri(server.Address, "chat/completions"), """{"model":"grpo:policy:run:20260102","messages":[{"role":"user","content":"x"}],"temperature":0}""");
        Assert.Contains("\"content\":\"a\"", chat.Text, StringComparison.Ordinal);
        Assert.Equal("null", (await PostAsync(new Uri(server.Address, "chat/completions"), """{"model":"odd","messages":[]}""")).Text);
    }

    [Fact]
    public async Task ChunkedRequests_AreRead()
    {
        await using var server = FakeTinkerServer.Start(Policy);
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server.Address, "api/v1/create_session"))
        {
            Content = new StringContent("""{"tags":["ü"],"sdk_version":"1"}""", Encoding.UTF8, "application/json"),
        };
        request.Headers.TransferEncodingChunked = true;
        using var response = await Http.SendAsync(request, Token);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains("ü", Assert.Single(server.Requests).Body, StringComparison.Ordinal);
    }

    [Fact]
    public void ToyTokenizer_Tokens_AreUniqueAndReadable()
    {
        var tokenizer = new ToyTokenizer(Policy.Choices);
        Assert.Equal([0, 1], new[] { tokenizer.Encode([new(Microsoft.Extensions.AI.ChatRole.User, "x")])[0], tokenizer.Encode([new(Microsoft.Extensions.AI.ChatRole.User, "y")])[0] });
        int[] completions = [tokenizer.IdOf(0, 0), tokenizer.IdOf(0, 1), tokenizer.IdOf(1, 0), tokenizer.IdOf(1, 1), tokenizer.IdOf(1, 2)];
        Assert.Equal([2, 3, 4, 5, 6], completions);
        Assert.Equal("abcde", tokenizer.Decode(completions));
        Assert.Equal(string.Empty, tokenizer.Decode([0, 1, 7, -1]));
    }

    private static string Group(int number) => $$$"""
        {"job_id":"grpo:policy:run:20260102","model":"m","batch_id":{{{number}}},"batch":[
          {"messages":[{"role":"user","content":"x"}],"completion":{"role":"assistant","content":"a"},"reward":1},
          {"messages":[{"role":"user","content":"x"}],"completion":{"role":"assistant","content":"b"},"reward":0}]}
        """;

    private static async Task<FakeTinkerServer> TinkerWithModelAsync()
    {
        var server = FakeTinkerServer.Start(Policy);
        await PostAsync(new Uri(server.Address, "api/v1/create_session"), """{"tags":[],"sdk_version":"1"}""");
        await PostAsync(new Uri(server.Address, "api/v1/create_model"), """{"session_id":"session_1","base_model":"toy/policy","lora_config":{"rank":0}}""");
        return server;
    }

    private static async Task<FakeArborServer> ArborWithJobAsync()
    {
        var server = FakeArborServer.Start(Policy);
        var body = """{"run_name":"run","model":"toy/policy","trainer_config":CONFIG,"inference_config":{"model":"toy/policy"}}""".Replace("CONFIG", Config, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(new Uri(server.Address, "fine_tuning/grpo/initialize"), body)).Status);
        return server;
    }

    private static async Task<int[]> PendingAsync(FakeArborServer server, string operation, string body)
    {
        using var document = JsonDocument.Parse((await PostAsync(new Uri(server.Address, $"fine_tuning/grpo/{operation}"), body)).Text);
        return [.. document.RootElement.GetProperty("pending_batch_ids").EnumerateArray().Select(id => id.GetInt32())];
    }

    private static async Task<(HttpStatusCode Status, string Text)> PostAsync(Uri address, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await Http.PostAsync(address, content, Token);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Token));
    }
}
