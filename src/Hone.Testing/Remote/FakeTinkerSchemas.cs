using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using static Hone.Testing.FakeSchema;

namespace Hone.Testing;

/// <summary>What the bodies of SkyRL's requests may hold. Members that a body does not have are passed over.</summary>
internal static class FakeTinkerSchemas
{
    private const int LongestName = 255;

    private static readonly Dictionary<string, string[]> Losses = new(StringComparer.Ordinal)
    {
        ["cross_entropy"] = [],
        ["importance_sampling"] = [],
        ["ppo"] = ["clip_high_threshold", "clip_low_threshold", "value_clip"],
        ["gspo"] = ["clip_high_threshold", "clip_low_threshold"],
        ["cispo"] = ["clip_high_threshold", "clip_low_threshold"],
        ["ppo_critic"] = ["value_clip"],
        ["dppo"] = ["delta_high", "delta_low"],
    };

    private static readonly FakeField ModelId = new("model_id", Text);
    private static readonly FakeField Sequence = Option("seq_id", Integer);
    private static readonly FakeType Tensor = Open(new FakeField("data", AnyOf(("list[int]", ListOf(Integer)), ("list[float]", ListOf(Number)))));
    private static readonly FakeType Input = Open(new FakeField("chunks", ListOf(Chunk)));

    private static readonly FakeType Pass = Model(
        isStrict: false,
        [
            new("data", ListOf(Open(new("loss_fn_inputs", Map(Tensor)), new("model_input", Input)))),
            new("loss_fn", OneOf([.. Losses.Keys])),
            Option("loss_fn_config", Map(Number)),
        ],
        WrongLoss);

    private static readonly Dictionary<string, FakeType> Bodies = new(StringComparer.Ordinal)
    {
        ["create_session"] = Open(new("tags", ListOf(Text)), Option("user_metadata", Dictionary), new("sdk_version", Text), Kind("create_session")),
        ["session_heartbeat"] = Open(new("session_id", Text), Kind("session_heartbeat")),
        ["create_model"] = Open(
            new("session_id", Text),
            new("base_model", Text),
            new("lora_config", Open(new("rank", Integer), Option("seed", Integer))),
            new("model_role", Text, IsRequired: false)),
        ["unload_model"] = Open(ModelId, Option("type", Text)),
        ["retrieve_future"] = Open(new FakeField("request_id", Text)),
        ["forward"] = Open(ModelId, new("forward_input", Pass), Sequence),
        ["forward_backward"] = Open(ModelId, new("forward_backward_input", Pass), Sequence),
        ["optim_step"] = Open(ModelId, new("adam_params", Open(
            new("learning_rate", Within(Number, atLeast: 0), IsRequired: false),
            new("beta1", Within(Number, atLeast: 0, below: 1), IsRequired: false),
            new("beta2", Within(Number, atLeast: 0, below: 1), IsRequired: false),
            new("eps", Within(Number, above: 0), IsRequired: false),
            new("weight_decay", Within(Number, atLeast: 0), IsRequired: false))), Sequence),
        ["save_weights"] = Open(ModelId, new("path", Name), Option("type", OneOf("save_weights"))),
        ["save_weights_for_sampler"] = Model(
            isStrict: false,
            [ModelId, Option("path", Name), Option("sampling_session_seq_id", Integer), Sequence, Kind("save_weights_for_sampler")],
            body => Has(body, "path") && body.GetProperty("path").GetString() is not "" || (Has(body, "sampling_session_seq_id") && Has(body, "seq_id"))
                ? null
                : "Either 'path' or both 'sampling_session_seq_id' and 'seq_id' must be provided"),
        ["load_weights"] = Open(ModelId, new("path", Text), new("optimizer", FakeSchema.Boolean, IsRequired: false), Sequence, Option("type", OneOf("load_weights"))),
        ["asample"] = Model(
            isStrict: false,
            [
                new("num_samples", Integer, IsRequired: false),
                new("prompt", Input),
                new("sampling_params", Open(
                    Option("max_tokens", Integer),
                    Option("seed", Integer),
                    Option("stop", AnyOf(("list[int]", ListOf(Integer)), ("list[str]", ListOf(Text)))),
                    new("temperature", Number, IsRequired: false),
                    new("top_k", Integer, IsRequired: false),
                    new("top_p", Number, IsRequired: false))),
                Option("base_model", Text),
                Option("model_path", Text),
                Option("sampling_session_id", Text),
                Sequence,
                Option("prompt_logprobs", FakeSchema.Boolean),
                new("topk_prompt_logprobs", Within(Integer, atLeast: 0), IsRequired: false),
                Kind("sample"),
            ],
            WrongSource),
    };

    /// <summary>Refuses a body that does not fit its operation.</summary>
    public static void Check(string operation, JsonElement body)
    {
        // Of this one SkyRL reads the body by itself, and its places do not begin with "body".
        if (Bodies.TryGetValue(operation, out var type))
            FakeSchema.Check(body, type, operation == "forward_backward" ? null : "body");
    }

    // Without a type, its members say what a chunk is.
    private static void Chunk(JsonElement value, ImmutableArray<object> at, JsonArray errors)
    {
        var kind = value.ValueKind != JsonValueKind.Object ? "encoded_text"
            : value.TryGetProperty("type", out var given) ? given.ToString()
            : value.TryGetProperty("location", out _) ? "image_asset_pointer"
            : value.TryGetProperty("data", out _) ? "image" : "encoded_text";
        FakeField[]? fields = kind switch
        {
            "encoded_text" => [new("tokens", ListOf(Integer))],
            "image" => [new("data", Text), new("format", OneOf("png", "jpeg")), Option("expected_tokens", Integer)],
            "image_asset_pointer" => [new("format", OneOf("png", "jpeg")), new("location", Text), Option("expected_tokens", Integer)],
            _ => null,
        };
        const string Tags = "'encoded_text', 'image_asset_pointer', 'image'";
        if (Expect(fields is not null, errors, at, value, "union_tag_invalid", $"Input tag '{kind}' found does not match any of the expected tags: {Tags}", ("expected_tags", Tags)))
            Model(isStrict: false, fields!)(value, at.Add(kind), errors);
    }

    private static void Name(JsonElement value, ImmutableArray<object> at, JsonArray errors)
    {
        const string Pattern = "^[a-zA-Z0-9_-]+$";
        var before = errors.Count;
        Text(value, at, errors);
        if (errors.Count > before)
            return;
        var name = value.GetString()!;
        if (Expect(name.Length <= LongestName, errors, at, value, "string_too_long", $"String should have at most {LongestName} characters", ("max_length", LongestName)))
            Expect(
                name.Length > 0 && name.All(character => char.IsAsciiLetterOrDigit(character) || character is '_' or '-'),
                errors, at, value, "string_pattern_mismatch", $"String should match pattern '{Pattern}'", ("pattern", Pattern));
    }

    private static string? WrongLoss(JsonElement input)
    {
        if (!Has(input, "loss_fn_config"))
            return null;
        var loss = input.GetProperty("loss_fn").GetString()!;
        string[] odd = [.. input.GetProperty("loss_fn_config").EnumerateObject().Select(key => key.Name).Where(key => !Losses[loss].Contains(key)).Order(StringComparer.Ordinal)];
        return odd.Length == 0 ? null
            : Losses[loss].Length == 0 ? $"loss_fn='{loss}' does not accept loss_fn_config keys. Received: {Listed(odd)}."
            : $"Invalid loss_fn_config keys for loss_fn='{loss}': {Listed(odd)}. Allowed keys: {Listed(Losses[loss])}.";
    }

    private static string? WrongSource(JsonElement body) => Has(body, "sampling_session_id")
        ? Has(body, "seq_id") ? null : "'seq_id' must be provided when 'sampling_session_id' is used"
        : Has(body, "base_model") != Has(body, "model_path") ? null
        : "When 'sampling_session_id' is not provided, exactly one of 'base_model' or 'model_path' must be provided";

    private static string Listed(string[] names) => $"[{string.Join(", ", names.Select(name => $"'{name}'"))}]";

    private static bool Has(JsonElement body, string name) => body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;

    private static FakeType Open(params FakeField[] fields) => Model(isStrict: false, fields);

    private static FakeField Option(string name, FakeType type) => new(name, Optional(type), IsRequired: false);

    private static FakeField Kind(string name) => new("type", OneOf(name), IsRequired: false);
}
