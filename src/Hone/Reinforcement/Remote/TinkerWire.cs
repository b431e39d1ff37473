using System.Text.Json;

namespace Hone.Reinforcement;

/// <summary>The JSON of the Tinker protocol: what is sent and how answers are read.</summary>
internal static class TinkerWire
{
    /// <summary>A training pass: <c>forward</c> or <c>forward_backward</c>.</summary>
    public static void WritePass(Utf8JsonWriter writer, string model, string member, TinkerBatch batch, long sequence)
    {
        writer.WriteString("model_id", model);
        writer.WriteStartObject(member);
        writer.WriteStartArray("data");
        foreach (var each in batch.Sequences)
            WriteDatum(writer, each);
        writer.WriteEndArray();
        writer.WriteString("loss_fn", batch.LossFunction);
        if (batch.Clip is { } clip)
        {
            writer.WriteStartObject("loss_fn_config");
            writer.WriteNumber("clip_low_threshold", clip.Low);
            writer.WriteNumber("clip_high_threshold", clip.High);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        writer.WriteNumber("seq_id", sequence);
    }

    public static void WriteStep(Utf8JsonWriter writer, string model, OptimizerStepOptions step, long sequence)
    {
        writer.WriteString("model_id", model);
        writer.WriteStartObject("adam_params");
        writer.WriteNumber("learning_rate", step.LearningRate);
        writer.WriteNumber("beta1", step.Beta1);
        writer.WriteNumber("beta2", step.Beta2);
        writer.WriteNumber("eps", step.Epsilon);
        writer.WriteNumber("weight_decay", step.WeightDecay);
        if (double.IsFinite(step.MaxGradientNorm))
            writer.WriteNumber("grad_clip_norm", step.MaxGradientNorm); // SkyRL does not read it; it clips by its own setting
        writer.WriteEndObject();
        writer.WriteNumber("seq_id", sequence);
    }

    public static void WriteSample(Utf8JsonWriter writer, IReadOnlyList<int> prompt, TinkerSampling sampling, TinkerWeights weights)
    {
        writer.WriteString("type", "sample");
        writer.WriteStartObject("prompt");
        WriteChunks(writer, prompt, prompt.Count);
        writer.WriteEndObject();
        writer.WriteNumber("num_samples", 1);
        writer.WriteStartObject("sampling_params");
        writer.WriteNumber("max_tokens", sampling.MaxTokens);
        if (sampling.Seed is { } seed)
            writer.WriteNumber("seed", seed);

        // Texts or tokens, not both. With texts the tokens that end a turn are left to the service, which knows the model's.
        if (sampling.StopTexts.Count > 0 || sampling.StopIds.Count > 0)
        {
            writer.WriteStartArray("stop");
            foreach (var text in sampling.StopTexts)
                writer.WriteStringValue(text);
            foreach (var id in sampling.StopTexts.Count > 0 ? [] : sampling.StopIds)
                writer.WriteNumberValue(id);
            writer.WriteEndArray();
        }

        writer.WriteNumber("temperature", sampling.Temperature);
        writer.WriteNumber("top_k", sampling.TopK);
        writer.WriteNumber("top_p", sampling.TopP);
        writer.WriteEndObject();
        weights.Write(writer);
    }

    /// <summary>The sampled tokens of an <c>asample</c>.</summary>
    public static (int[] Tokens, float[] LogProbs, bool IsTruncated) ReadSample(JsonElement result)
    {
        var first = result.GetProperty("sequences").EnumerateArray().First();
        int[] tokens = [.. first.GetProperty("tokens").EnumerateArray().Select(token => token.GetInt32())];
        var logProbs = first.TryGetProperty("logprobs", out var values) && values.ValueKind == JsonValueKind.Array ? Floats(values) : [];
        if (logProbs.Length != tokens.Length)
            throw new FormatException($"{tokens.Length} tokens came with {logProbs.Length} log-probabilities");
        return (tokens, logProbs, first.GetProperty("stop_reason").GetString() == "length");
    }

    /// <summary>The log-probabilities of the completions in a pass's result.</summary>
    public static float[][] ReadLogProbs(JsonElement result, IReadOnlyList<TinkerSequence> sequences)
    {
        JsonElement[] outputs = [.. result.GetProperty("loss_fn_outputs").EnumerateArray()];
        if (outputs.Length != sequences.Count)
            throw new FormatException($"{sequences.Count} sequences gave {outputs.Length} results");
        return [.. outputs.Select((output, i) => Completion(output, sequences[i].Datum))];
    }

    /// <summary>The gradient's norm where the service tells it; backends call it differently.</summary>
    public static double ReadGradientNorm(JsonElement result)
    {
        if (result.TryGetProperty("metrics", out var metrics) && metrics.ValueKind == JsonValueKind.Object)
        {
            foreach (var metric in metrics.EnumerateObject())
            {
                if (metric.Name.Contains("grad_norm", StringComparison.Ordinal) && metric.Value.ValueKind == JsonValueKind.Number)
                    return metric.Value.GetDouble();
            }
        }

        return double.NaN;
    }

    // All arrays have one value for each predicted token: full = prompt + completion, predicted are all but the first. The prompt's weigh nothing.
    private static void WriteDatum(Utf8JsonWriter writer, TinkerSequence sequence)
    {
        var (prompt, completion) = (sequence.Datum.PromptIds, sequence.Datum.CompletionIds);
        int[] full = [.. prompt, .. completion];
        writer.WriteStartObject();
        writer.WriteStartObject("model_input");
        WriteChunks(writer, full, full.Length - 1);
        writer.WriteEndObject();
        writer.WriteStartObject("loss_fn_inputs");
        Tensor(writer, "target_tokens", "int64", full.Length - 1, () =>
        {
            for (var i = 1; i < full.Length; i++)
                writer.WriteNumberValue(full[i]);
        });
        if (sequence.Weights is { } weights)
            Values(writer, "weights", prompt.Count, weights);
        if (sequence.LogProbs is { } logProbs)
            Tensor(writer, "logprobs", "float32", full.Length - 1, () =>
            {
                for (var i = 1; i < prompt.Count; i++)
                    writer.WriteNumberValue(0f);
                foreach (var value in logProbs)
                    writer.WriteNumberValue(value);
            });
        if (sequence.Advantages is { } advantages)
            Values(writer, "advantages", prompt.Count, advantages);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteChunks(Utf8JsonWriter writer, IReadOnlyList<int> tokens, int count)
    {
        writer.WriteStartArray("chunks");
        writer.WriteStartObject();
        writer.WriteString("type", "encoded_text");
        writer.WriteStartArray("tokens");
        for (var i = 0; i < count; i++)
            writer.WriteNumberValue(tokens[i]);
        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteEndArray();
    }

    private static void Values(Utf8JsonWriter writer, string name, int promptLength, double[] values) => Tensor(writer, name, "float32", promptLength - 1 + values.Length, () =>
    {
        for (var i = 1; i < promptLength; i++)
            writer.WriteNumberValue(0.0);
        foreach (var value in values)
            writer.WriteNumberValue(value);
    });

    private static void Tensor(Utf8JsonWriter writer, string name, string type, int length, Action data)
    {
        writer.WriteStartObject(name);
        writer.WriteStartArray("data");
        data();
        writer.WriteEndArray();
        writer.WriteString("dtype", type);
        writer.WriteStartArray("shape");
        writer.WriteNumberValue(length);
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static float[] Completion(JsonElement output, TrainingDatum datum)
    {
        var values = output.GetProperty("logprobs");
        var all = Floats(values.ValueKind == JsonValueKind.Object ? values.GetProperty("data") : values);
        var due = datum.PromptIds.Count + datum.CompletionIds.Count - 1;
        return all.Length == due ? all[^datum.CompletionIds.Count..] : throw new FormatException($"a sequence of {due} predicted tokens gave {all.Length} log-probabilities");
    }

    private static float[] Floats(JsonElement array) => [.. array.EnumerateArray().Select(value => value.GetSingle())];
}

/// <summary>How a completion is sampled, in the protocol's terms.</summary>
internal sealed record TinkerSampling(int MaxTokens, int? Seed, float Temperature, int TopK, float TopP, IReadOnlyList<string> StopTexts, IReadOnlyList<int> StopIds);

/// <summary>Which weights sample: the base model, saved ones, or those of a sampling session.</summary>
internal sealed record TinkerWeights(string Member, string Value, int Version)
{
    private long calls;

    public static TinkerWeights Base(string model) => new("base_model", model, 0);

    public static TinkerWeights Saved(string path, int version) => new("model_path", path, version);

    public static TinkerWeights Session(string id, int version) => new("sampling_session_id", id, version);

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteString(Member, Value);
        if (Member == "sampling_session_id")
            writer.WriteNumber("seq_id", Interlocked.Increment(ref calls));
    }
}
