using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone.Reinforcement;

/// <summary>The JSON of Arbor's protocol.</summary>
internal static class ArborWire
{
    public static void WriteMessages(Utf8JsonWriter writer, IReadOnlyList<ChatMessage> messages)
    {
        foreach (var message in messages)
        {
            if (message.Contents.FirstOrDefault(part => part is not (TextContent or TextReasoningContent)) is { } other)
                throw new NotSupportedException($"Arbor takes text only, but a message holds {other.GetType().Name}.");
            WriteMessage(writer, message.Role.Value, message.Text);
        }
    }

    /// <summary>A job's start. A member is sent only when it has a value: Arbor lets an explicit null override its own default.</summary>
    public static void WriteStart(Utf8JsonWriter writer, ArborOptions options, TrainingOptions training)
    {
        var plan = training.Plan!;
        if (options.RunName is { } name)
            writer.WriteString("run_name", name);
        writer.WriteString("model", options.Model);
        writer.WriteStartObject("trainer_config");
        writer.WriteNumber("temperature", plan.Loss.Temperature);
        writer.WriteNumber("beta", 0.0);
        writer.WriteNumber("num_generations", plan.GroupSize);
        writer.WriteNumber("per_device_train_batch_size", options.PerDeviceBatchSize ?? plan.GroupSize);
        writer.WriteNumber("learning_rate", plan.Optimizer.LearningRate);
        writer.WriteNumber("gradient_accumulation_steps", options.GradientAccumulationSteps);
        writer.WriteBoolean("gradient_checkpointing", options.GradientCheckpointing);
        writer.WriteString("lr_scheduler_type", options.WarmupGroups > 0 ? "constant_with_warmup" : "constant");
        writer.WriteBoolean("scale_rewards", plan.Scaling == AdvantageScaling.Group);
        if (double.IsFinite(plan.Optimizer.MaxGradientNorm))
            writer.WriteNumber("max_grad_norm", plan.Optimizer.MaxGradientNorm);
        else
            writer.WriteNumber("max_grad_norm", 0.0); // Hugging Face's trainer: no clipping
        writer.WriteBoolean("mask_truncated_completions", plan.Loss.MaskTruncated);
        writer.WriteNumber("max_seq_len", options.MaxSequenceLength);
        if (training.Lora is { } lora)
            WriteLora(writer, lora);
        writer.WriteNumber("max_steps", options.MaxGroups);
        writer.WriteNumber("warmup_steps", options.WarmupGroups);
        writer.WriteString("loss_type", LossName(plan.Loss.Type));
        writer.WriteNumber("num_training_gpus", options.TrainingGpus);
        writer.WriteNumber("weight_decay", plan.Optimizer.WeightDecay);
        writer.WriteEndObject();
        writer.WriteStartObject("inference_config");
        writer.WriteString("model", options.Model);
        writer.WriteNumber("max_seq_len", options.MaxSequenceLength);
        writer.WriteNumber("num_gpus", options.InferenceGpus);
        writer.WriteEndObject();
        writer.WriteStartObject("gpu_config");
        writer.WriteString("type", "multi");
        writer.WriteStartObject("multi");
        writer.WriteNumber("num_inference_gpus", options.InferenceGpus);
        writer.WriteNumber("num_training_gpus", options.TrainingGpus);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>One group of completions.</summary>
    public static void WriteGroup(Utf8JsonWriter writer, string job, string model, int batch, IReadOnlyList<TrainingText> group)
    {
        writer.WriteString("job_id", job);
        writer.WriteString("model", model);
        writer.WriteNumber("batch_id", batch);
        writer.WriteStartArray("batch");
        foreach (var member in group)
        {
            writer.WriteStartObject();
            writer.WriteStartArray("messages");
            WriteMessages(writer, member.Messages);
            writer.WriteEndArray();
            writer.WritePropertyName("completion");
            WriteMessage(writer, "assistant", member.Completion);
            writer.WriteNumber("reward", member.Reward);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteMessage(Utf8JsonWriter writer, string role, string content)
    {
        writer.WriteStartObject();
        writer.WriteString("role", role);
        writer.WriteString("content", content);
        writer.WriteEndObject();
    }

    private static void WriteLora(Utf8JsonWriter writer, LoraOptions lora)
    {
        writer.WriteStartObject("lora_config");
        writer.WriteNumber("r", lora.Rank);
        writer.WriteNumber("lora_alpha", (int)lora.Alpha);
        writer.WriteStartArray("target_modules");
        foreach (var target in lora.Targets)
            writer.WriteStringValue(target);
        writer.WriteEndArray();
        writer.WriteNumber("lora_dropout", 0.0); // dropout would make the old and the new log-probabilities of equal weights differ
        writer.WriteEndObject();
    }

    private static string LossName(PolicyLossType type) => type switch
    {
        PolicyLossType.DrGrpo => "dr_grpo",
        _ => type.ToString().ToLowerInvariant(),
    };
}

/// <summary>Where a job is.</summary>
internal sealed record ArborStatus(string JobId, string? Status, string CurrentModel, IReadOnlyList<int> PendingBatchIds, IReadOnlyDictionary<string, string> CheckpointDirectories)
{
    public bool HasEnded => Status is "cancelled" or "failed" or "succeeded";

    /// <summary>Reads a status; members that are missing or of another kind are an error, unknown ones are not.</summary>
    public static ArborStatus Read(string operation, JsonElement body)
    {
        try
        {
            var directories = new Dictionary<string, string>(StringComparer.Ordinal);
            if (body.TryGetProperty("checkpoints", out var checkpoints) && checkpoints.ValueKind == JsonValueKind.Object)
            {
                // DSPy's own type says that a record may be a path alone.
                foreach (var entry in checkpoints.EnumerateObject())
                    directories[entry.Name] = entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()! : entry.Value.GetProperty("checkpoint_dir").GetString()!;
            }

            return new(
                body.GetProperty("job_id").GetString() ?? throw new FormatException("job_id is null"),
                body.TryGetProperty("status", out var status) && status.ValueKind == JsonValueKind.String ? status.GetString() : null,
                body.GetProperty("current_model").GetString() ?? throw new FormatException("current_model is null"),
                body.TryGetProperty("pending_batch_ids", out var pending) && pending.ValueKind == JsonValueKind.Array ? [.. pending.EnumerateArray().Select(id => id.GetInt32()).Order()] : [],
                directories);
        }
        catch (Exception error) when (error is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new TrainingServiceException($"Arbor's answer to {operation} is no status of a job: {error.Message}.", error) { Operation = operation };
        }
    }
}

/// <summary>Where a job is: what a run directory holds in place of its state.</summary>
internal sealed record ArborReference(string Address, string JobId, string Model, int GroupsSent, int PolicyVersion, string? CheckpointDirectory)
{
    public const string FileName = "arbor.json";

    public static async Task<ArborReference> LoadAsync(string directory, CancellationToken cancellationToken)
    {
        var path = Path.Combine(directory, FileName);
        return File.Exists(path)
            ? JsonSerializer.Deserialize(await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false), RemoteJson.Default.ArborReference)!
            : throw new HoneException($"{directory} holds nothing of an Arbor job: {FileName} is missing. Was it written by another kind of session?");
    }

    public async Task SaveAsync(string directory, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(directory);
        await File.WriteAllTextAsync(Path.Combine(directory, FileName), JsonSerializer.Serialize(this, RemoteJson.Default.ArborReference), cancellationToken).ConfigureAwait(false);
    }
}
