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
    [InlineData("save_weights_for_sampler", """{"model_id":"model_1","sampling_session_seq_id":1}""", 422)]
    [InlineData("asample", """{"prompt":{"chunks":[{"tokens":[0]}]},"sampling_params":{"max_tokens":1},"sampling_session_id":"s"}""", 422)]
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
    public async Task Tinker_NumberOfAnotherRequest_IsAConflict_AndCheckpointsAreForFreshModels()
    {
        await using var server = await TinkerWithModelAsync();
        Uri At(string operation) => new(server.Address, $"api/v1/{operation}");
        await PostAsync(At("optim_step"), """{"model_id":"model_1","adam_params":{"learning_rate":1},"seq_id":1}""");
        Assert.Equal(HttpStatusCode.Conflict, (await PostAsync(At("optim_step"), """{"model_id":"model_1","adam_params":{"learning_rate":2},"seq_id":1}""")).Status);
        await PostAsync(At("save_weights"), """{"model_id":"model_1","path":"one"}""");
        const string Load = """{"model_id":"model_1","path":"tinker://model_1/weights/one","seq_id":2}""";
        var (status, text) = await PostAsync(At("load_weights"), Load);
        Assert.Equal((HttpStatusCode.BadRequest, """{"detail":"LoadWeights is not permitted with seq_id 2"}"""), (status, text));
        await PostAsync(At("create_model"), """{"session_id":"session_1","base_model":"toy/policy","lora_config":{"rank":0}}""");
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(At("load_weights"), Load.Replace("\"model_1\"", "\"model_2\"", StringComparison.Ordinal))).Status);
        server.LoadsAtAnyTime = true;
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(At("load_weights"), Load)).Status);
    }

    /// <summary>Type, place and words of what does not fit, as pydantic tells them; all of it at once.</summary>
    [Theory]
    [InlineData("create_session", """{"tags":"hone","sdk_version":1}""", "list_type body.tags Input should be a valid list", "string_type body.sdk_version Input should be a valid string")]
    [InlineData("create_session", """{"tags":[1],"sdk_version":"1","type":"odd"}""", "string_type body.tags.0 Input should be a valid string", "literal_error body.type Input should be 'create_session'")]
    [InlineData("create_model", """{"session_id":"s","base_model":null,"lora_config":{"rank":1.5}}""", "string_type body.base_model Input should be a valid string", "int_from_float body.lora_config.rank Input should be a valid integer, got a number with a fractional part")]
    [InlineData("create_model", """{"session_id":"s","base_model":"b","lora_config":[]}""", "model_attributes_type body.lora_config Input should be a valid dictionary or object to extract fields from")]
    [InlineData("optim_step", """{"model_id":"m","adam_params":{"learning_rate":"fast","beta1":1,"eps":0,"weight_decay":-1}}""", "float_parsing body.adam_params.learning_rate Input should be a valid number, unable to parse string as a number", "less_than body.adam_params.beta1 Input should be less than 1", "greater_than body.adam_params.eps Input should be greater than 0", "greater_than_equal body.adam_params.weight_decay Input should be greater than or equal to 0")]
    [InlineData("forward_backward", """{"model_id":"m","forward_backward_input":{"data":[{"model_input":{"chunks":[{"tokens":["x"]}]},"loss_fn_inputs":{"target_tokens":{"data":{}}}}],"loss_fn":"odd"}}""", "list_type forward_backward_input.data.0.loss_fn_inputs.target_tokens.data.list[int] Input should be a valid list", "list_type forward_backward_input.data.0.loss_fn_inputs.target_tokens.data.list[float] Input should be a valid list", "int_parsing forward_backward_input.data.0.model_input.chunks.0.encoded_text.tokens.0 Input should be a valid integer, unable to parse string as an integer", "literal_error forward_backward_input.loss_fn Input should be 'cross_entropy', 'importance_sampling', 'ppo', 'gspo', 'cispo', 'ppo_critic' or 'dppo'")]
    [InlineData("forward", """{"model_id":"m","forward_input":{"data":[],"loss_fn":"cispo","loss_fn_config":{"eps":1}}}""", "value_error body.forward_input Value error, Invalid loss_fn_config keys for loss_fn='cispo': ['eps']. Allowed keys: ['clip_high_threshold', 'clip_low_threshold'].")]
    [InlineData("asample", """{"prompt":{"chunks":[{"type":"sound"}]},"sampling_params":{"max_tokens":1,"stop":[1,"x"]},"topk_prompt_logprobs":-1}""", "union_tag_invalid body.prompt.chunks.0 Input tag 'sound' found does not match any of the expected tags: 'encoded_text', 'image_asset_pointer', 'image'", "int_parsing body.sampling_params.stop.list[int].1 Input should be a valid integer, unable to parse string as an integer", "string_type body.sampling_params.stop.list[str].0 Input should be a valid string", "greater_than_equal body.topk_prompt_logprobs Input should be greater than or equal to 0")]
    [InlineData("retrieve_future", """{"request_id":7}""", "string_type body.request_id Input should be a valid string")]
    [InlineData("load_weights", """{"model_id":"m","path":"p","optimizer":"maybe"}""", "bool_parsing body.optimizer Input should be a valid boolean, unable to interpret input")]
    [InlineData("save_weights", """{"model_id":"m","path":"a/b"}""", "string_pattern_mismatch body.path String should match pattern '^[a-zA-Z0-9_-]+$'")]
    public async Task Tinker_WrongTypes_AreToldAsFastApiTellsThem(string operation, string body, params string[] expected)
    {
        await using var server = FakeTinkerServer.Start(Policy);
        Assert.Equal(expected, await ErrorsAsync(new Uri(server.Address, $"api/v1/{operation}"), body));
    }

    [Theory]
    [InlineData("fine_tuning/grpo/initialize", """{"model":1,"trainer_config":{"temperature":"hot","num_generations":2.5,"bf16":3,"report_to":[],"lora_config":{"r":8,"lora_alpha":16,"target_modules":"all","lora_dropout":null}},"inference_config":{"model":"m","owner":{"type":"other","job_id":"j"}},"gpu_config":null}""", "string_type body.model Input should be a valid string", "float_parsing body.trainer_config.temperature Input should be a valid number, unable to parse string as a number", "int_from_float body.trainer_config.num_generations Input should be a valid integer, got a number with a fractional part", "bool_parsing body.trainer_config.bf16 Input should be a valid boolean, unable to interpret input", "string_type body.trainer_config.report_to Input should be a valid string", "list_type body.trainer_config.lora_config.target_modules Input should be a valid list", "float_type body.trainer_config.lora_config.lora_dropout Input should be a valid number", "literal_error body.inference_config.owner.type Input should be 'grpo'", "model_attributes_type body.gpu_config Input should be a valid dictionary or object to extract fields from")]
    [InlineData("fine_tuning/grpo/initialize", """{"model":"m","trainer_config":{"top_p":1},"inference_config":{},"gpu_config":{"type":"single","multi":{"num_inference_gpus":[],"odd":1}}}""", "extra_forbidden body.trainer_config.top_p Extra inputs are not permitted", "missing body.inference_config.model Field required", "literal_error body.gpu_config.type Input should be 'multi'", "int_type body.gpu_config.multi.num_inference_gpus Input should be a valid integer", "missing body.gpu_config.multi.num_training_gpus Field required", "extra_forbidden body.gpu_config.multi.odd Extra inputs are not permitted")]
    [InlineData("fine_tuning/grpo/step", """{"job_id":"j","model":"m","batch_id":"one","batch":[1],"metrics":3}""", "int_parsing body.batch_id Input should be a valid integer, unable to parse string as an integer", "dict_type body.batch.list[dict[any,any]].0 Input should be a valid dictionary", "list_type body.batch.list[list[dict[any,any]]].0 Input should be a valid list", "dict_type body.metrics Input should be a valid dictionary")]
    [InlineData("fine_tuning/grpo/checkpoint", """{"job_id":"j","checkpoint_name":null,"metadata":[]}""", "string_type body.checkpoint_name Input should be a valid string", "dict_type body.metadata Input should be a valid dictionary")]
    [InlineData("fine_tuning/grpo/status", "[]", "model_attributes_type body Input should be a valid dictionary or object to extract fields from")]
    [InlineData("chat/launch", """{"model":"m","num_gpus":{},"max_seq_len":null}""", "int_type body.num_gpus Input should be a valid integer")]
    [InlineData("chat/kill", """{"job_id":3,"force":true}""", "string_type body.job_id Input should be a valid string", "extra_forbidden body.force Extra inputs are not permitted")]
    [InlineData("fine_tuning/jobs", """{"model":"m","training_file":1,"method":"supervised","seed":0.5,"hyperparameters":{}}""", "string_type body.training_file Input should be a valid string", "dict_type body.method Input should be a valid dictionary", "int_from_float body.seed Input should be a valid integer, got a number with a fractional part", "extra_forbidden body.hyperparameters Extra inputs are not permitted")]
    public async Task Arbor_WrongTypes_AreToldAsFastApiTellsThem(string path, string body, params string[] expected)
    {
        await using var server = FakeArborServer.Start(Policy);
        server.OffersJobs = true;
        Assert.Equal(expected, await ErrorsAsync(new Uri(server.Address, path), body));
    }

    /// <summary>Pydantic is lenient: numbers may be texts, whole numbers may have a point, and what is optional may be null.</summary>
    [Fact]
    public async Task Arbor_WhatPydanticTakes_IsTaken()
    {
        await using var server = FakeArborServer.Start(Policy);
        const string Lenient = """{"run_name":null,"model":"toy/policy","trainer_config":{"num_generations":"2","per_device_train_batch_size":2.0,"learning_rate":"1e0","bf16":"yes","scale_rewards":1,"max_steps":3,"lora_config":null},"inference_config":{"model":"toy/policy","owner":null},"gpu_config":{"type":"multi","multi":{"num_inference_gpus":1,"num_training_gpus":1}}}""";
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(new Uri(server.Address, "fine_tuning/grpo/initialize"), Lenient)).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(new Uri(server.Address, "fine_tuning/grpo/step"), """{"job_id":"none","model":"m","batch_id":0.0,"batch":[[{}]]}""")).Status);
    }

    [Fact]
    public async Task Tinker_Error_HoldsWhatWasSent()
    {
        await using var server = FakeTinkerServer.Start(Policy);
        Assert.Equal(
            """{"detail":[{"type":"less_than","loc":["body","adam_params","beta2"],"msg":"Input should be less than 1","input":1.5,"ctx":{"lt":1}},{"type":"int_type","loc":["body","seq_id"],"msg":"Input should be a valid integer","input":[1]}]}""",
            (await PostAsync(new Uri(server.Address, "api/v1/optim_step"), """{"model_id":"m","adam_params":{"beta2":1.5},"seq_id":[1]}""")).Text);
    }

    [Fact]
    public async Task Tinker_DeadEngine_IsNeverReady()
    {
        await using var server = await TinkerWithModelAsync();
        server.IsEngineDead = true;
        await PostAsync(new Uri(server.Address, "api/v1/optim_step"), """{"model_id":"model_1","adam_params":{}}""");
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

    private static async Task<string[]> ErrorsAsync(Uri address, string body)
    {
        var (status, text) = await PostAsync(address, body);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        using var document = JsonDocument.Parse(text);
        return [.. document.RootElement.GetProperty("detail").EnumerateArray().Select(error =>
            $"{error.GetProperty("type")} {string.Join('.', error.GetProperty("loc").EnumerateArray())} {error.GetProperty("msg")}")];
    }

    private static async Task<(HttpStatusCode Status, string Text)> PostAsync(Uri address, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await Http.PostAsync(address, content, Token);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Token));
    }
}
