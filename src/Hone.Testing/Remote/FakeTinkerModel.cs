using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Testing;

/// <summary>A model of the fake Tinker service: toy weights, and the protocol's losses as plain sums over tokens.</summary>
internal sealed class FakeTinkerModel(string id, ToyTokenizer tokenizer, ToyModel weights)
{
    public string Id => id;

    public ToyModel Weights { get; set; } = weights;

    /// <summary>Request by its number in the model's sequence, and what was asked.</summary>
    public Dictionary<long, (string Request, string Asked)> Requests { get; } = [];

    /// <summary>How often something was asked of the model since it was made.</summary>
    public int Uses { get; set; }

    /// <summary>Tokens of a prompt or a model's input.</summary>
    public static IEnumerable<int> Tokens(JsonElement input)
    {
        foreach (var chunk in input.GetProperty("chunks").EnumerateArray())
        {
            if (chunk.TryGetProperty("type", out var type) && !type.ValueEquals("encoded_text"))
                throw FakeJson.Refuse(400, "The toy model reads text only.");
            foreach (var token in chunk.GetProperty("tokens").EnumerateArray())
                yield return token.GetInt32();
        }
    }

    public static JsonObject Step(FakeTinkerModel model, JsonElement body)
    {
        var rate = body.TryGetProperty("adam_params", out var adam) && adam.TryGetProperty("learning_rate", out var value) ? value.GetDouble() : 1e-4;
        var norm = model.Weights.Step(rate);
        return new() { ["metrics"] = new JsonObject { ["skyrl.ai/grad_norm"] = norm, ["skyrl.ai/learning_rate"] = rate } };
    }

    /// <summary>A forward pass, with gradients when it is to learn.</summary>
    public JsonObject Pass(JsonElement body, string member, bool learns)
    {
        var input = body.GetProperty(member);
        var name = FakeJson.Text(input, "loss_fn");
        var config = input.TryGetProperty("loss_fn_config", out var given) && given.ValueKind == JsonValueKind.Object ? given : default;
        var outputs = new JsonArray();
        foreach (var datum in input.GetProperty("data").EnumerateArray())
            outputs.Add((JsonNode)Datum(datum, name, config, learns));
        return new() { ["loss_fn_output_type"] = "scalar", ["loss_fn_outputs"] = outputs, ["metrics"] = new JsonObject() };
    }

    private JsonObject Datum(JsonElement datum, string loss, JsonElement config, bool learns)
    {
        var inputs = datum.GetProperty("loss_fn_inputs");
        int[] prompt = [.. Tokens(datum.GetProperty("model_input"))];
        double[] targets = Values(inputs, "target_tokens") ?? throw FakeJson.Missing("loss_fn_inputs", "target_tokens");
        if (prompt is not [var row] || targets is not [var target] || tokenizer.Find((int)target) is not (var choice, var completion) || choice != row)
            throw FakeJson.Refuse(400, "The toy model's data are one prompt token and one token of its completions.");
        var weight = Values(inputs, "weights")?[0] ?? 1;
        var logProb = Weights.LogProb(row, completion);
        var slope = Slope(loss, config, logProb, Values(inputs, "logprobs")?[0] ?? 0, Values(inputs, "advantages")?[0] ?? 0);
        if (learns)
            Weights.AddSlope(row, completion, weight * slope.Slope);
        return new()
        {
            ["elementwise_loss"] = Tensor((float)(weight * slope.Loss)),
            ["logprobs"] = Tensor((float)logProb),
        };
    }

    private static (double Loss, double Slope) Slope(string loss, JsonElement config, double logProb, double old, double advantage)
    {
        var ratio = Math.Exp(logProb - old);
        double low = Bound(config, "clip_low_threshold", 0.8), high = Bound(config, "clip_high_threshold", 1.2);
        switch (loss)
        {
            case "cross_entropy":
                return (-logProb, -1);
            case "importance_sampling":
                return (-ratio * advantage, -ratio * advantage);
            case "ppo":
                double free = ratio * advantage, bounded = Math.Clamp(ratio, low, high) * advantage;
                return (-Math.Min(free, bounded), free <= bounded ? -ratio * advantage : 0);
            case "cispo":
                var clipped = Math.Clamp(ratio, low, high) * advantage;
                return (-clipped * logProb, -clipped);
            default:
                throw FakeJson.Refuse(400, $"The toy model does not compute {loss}.");
        }
    }

    private static double Bound(JsonElement config, string name, double otherwise) =>
        config.ValueKind == JsonValueKind.Object && config.TryGetProperty(name, out var value) ? value.GetDouble() : otherwise;

    private static double[]? Values(JsonElement inputs, string name) =>
        inputs.TryGetProperty(name, out var tensor) ? [.. tensor.GetProperty("data").EnumerateArray().Select(value => value.GetDouble())] : null;

    private static JsonObject Tensor(float value) => new() { ["data"] = new JsonArray(value), ["dtype"] = "float32", ["shape"] = new JsonArray(1) };
}
