using System.Text.Json;
using static Hone.Testing.FakeSchema;

namespace Hone.Testing;

/// <summary>What the bodies of Arbor's requests may hold. Members that a body does not have are refused everywhere.</summary>
internal static class FakeArborSchemas
{
    private static readonly FakeField JobId = new("job_id", Text);

    private static readonly FakeType Launch = Strict(
        new("model", Text),
        Option("max_seq_len", Integer),
        Option("num_gpus", Integer),
        Option("owner", Strict(new("type", OneOf("grpo")), new("job_id", Text))),
        Option("log_file_path", Text));

    private static readonly FakeType Trainer = Strict(
        Option("temperature", Number),
        Option("beta", Number),
        Option("num_generations", Integer),
        Option("per_device_train_batch_size", Integer),
        Option("learning_rate", Number),
        Option("gradient_accumulation_steps", Integer),
        Option("gradient_checkpointing", FakeSchema.Boolean),
        Option("lr_scheduler_type", Text),
        Option("max_prompt_length", Integer),
        Option("max_completion_length", Integer),
        Option("soft_completion_penalty_length", Integer),
        Option("gradient_checkpointing_kwargs", Dictionary),
        Option("bf16", FakeSchema.Boolean),
        Option("scale_rewards", FakeSchema.Boolean),
        Option("max_grad_norm", Number),
        Option("report_to", Text),
        Option("log_completions", FakeSchema.Boolean),
        Option("logging_steps", Integer),
        Option("generation_batch_size", Integer),
        Option("mask_truncated_completions", FakeSchema.Boolean),
        Option("async_generation_timeout", Number),
        Option("max_seq_len", Integer),
        Option("lora_config", Strict(new("r", Integer), new("lora_alpha", Integer), new("target_modules", ListOf(Text)), new("lora_dropout", Number))),
        Option("max_steps", Integer),
        Option("warmup_steps", Integer),
        Option("loss_type", Text),
        Option("num_training_gpus", Integer),
        Option("weight_decay", Number));

    private static readonly Dictionary<string, FakeType> Bodies = new(StringComparer.Ordinal)
    {
        ["/v1/chat/launch"] = Launch,
        ["/v1/chat/kill"] = Strict(JobId),
        ["/v1/fine_tuning/grpo/initialize"] = Strict(
            Option("run_name", Text),
            new("model", Text),
            new("trainer_config", Trainer),
            new("inference_config", Launch),
            new(
                "gpu_config",
                Strict(new("type", OneOf("multi")), new("multi", Strict(new("num_inference_gpus", Integer), new("num_training_gpus", Integer)))),
                IsRequired: false)),
        ["/v1/fine_tuning/grpo/status"] = Strict(JobId),
        ["/v1/fine_tuning/grpo/step"] = Strict(
            JobId,
            new("model", Text),
            new("batch_id", Integer),
            new("batch", AnyOf(("list[dict[any,any]]", ListOf(Dictionary)), ("list[list[dict[any,any]]]", ListOf(ListOf(Dictionary))))),
            Option("metrics", Dictionary)),
        ["/v1/fine_tuning/grpo/checkpoint"] = Strict(JobId, new("checkpoint_name", Text), Option("metadata", Dictionary)),
        ["/v1/fine_tuning/grpo/terminate"] = Strict(JobId),
        ["/v1/fine_tuning/grpo/cancel"] = Strict(JobId),
        ["/v1/fine_tuning/jobs"] = Strict(
            new("model", Text), new("training_file", Text), Option("method", Dictionary), Option("suffix", Text), Option("num_gpus", Integer), Option("validation_file", Text), Option("seed", Integer)),
    };

    /// <summary>Refuses a body that does not fit its path. What the chat route takes is for the inference server to say.</summary>
    public static void Check(string path, JsonElement body)
    {
        if (Bodies.TryGetValue(path, out var type))
            FakeSchema.Check(body, type);
    }

    private static FakeType Strict(params FakeField[] fields) => Model(isStrict: true, fields);

    private static FakeField Option(string name, FakeType type) => new(name, Optional(type), IsRequired: false);
}
