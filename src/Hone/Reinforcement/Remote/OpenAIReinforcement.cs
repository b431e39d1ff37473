using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone.Reinforcement;

/// <summary>Settings of an export for OpenAI's reinforcement fine-tuning.</summary>
public sealed record OpenAIReinforcementOptions
{
    /// <summary>The model to tune, e.g. <c>o4-mini-2025-04-16</c>.</summary>
    public required string Model { get; init; }

    /// <summary>What scores the answers.</summary>
    public required OpenAIGrader Grader { get; init; }

    /// <summary>Passes over the data; null leaves it to the service, as with all that follows.</summary>
    public int? Epochs { get; init; }

    /// <summary>Examples a batch.</summary>
    public int? BatchSize { get; init; }

    /// <summary>Factor on the service's learning rate.</summary>
    public double? LearningRateMultiplier { get; init; }

    /// <summary>Factor on the compute of exploration.</summary>
    public double? ComputeMultiplier { get; init; }

    /// <summary>Steps between evaluations.</summary>
    public int? EvaluationInterval { get; init; }

    /// <summary>Answers an example in evaluations.</summary>
    public int? EvaluationSamples { get; init; }

    /// <summary>How much the model thinks: default, low, medium or high.</summary>
    public string? ReasoningEffort { get; init; }

    /// <summary>Format that answers must have; null takes what the program's adapter asks for, if anything.</summary>
    public ChatResponseFormatJson? ResponseFormat { get; init; }

    /// <summary>Part of the tuned model's name.</summary>
    public string? Suffix { get; init; }

    /// <summary>Seed of the job.</summary>
    public int? Seed { get; init; }
}

/// <summary>One line of a data set: a prompt, and what the grader compares the answer with.</summary>
/// <param name="Messages">The prompt; text only, the last message from the user or the developer.</param>
/// <param name="Reference">Reference fields, <c>{{item.name}}</c> to the grader.</param>
public sealed record OpenAIReinforcementItem(IReadOnlyList<ChatMessage> Messages, FieldMap Reference);

/// <summary>
/// Writes what OpenAI's reinforcement fine-tuning wants: <c>train.jsonl</c>, <c>validation.jsonl</c> and <c>job.json</c>, the body that creates the job
/// once its two file names are replaced by the ids of the uploaded files. It tunes one prompt's answer, so a program can have one trained predictor.
/// Nothing is sent.
/// </summary>
public static class OpenAIReinforcement
{
    private const string TrainFile = "train.jsonl", ValidationFile = "validation.jsonl", JobFile = "job.json";

    // Prompts stay readable; a file is no web page.
    private static readonly JsonWriterOptions Lines = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Exports the one predictor of a program, with the prompts that it would send for the examples.</summary>
    /// <exception cref="TrainingNotSupportedException">The program trains several predictors, or its prompts depend on answers of others.</exception>
    public static async Task ExportAsync<TIn, TOut>(
        Program<TIn, TOut> program,
        IReadOnlyList<Example<TIn, TOut>> train,
        IReadOnlyList<Example<TIn, TOut>> validation,
        OpenAIReinforcementOptions options,
        string directory,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(program);
        var path = PredictorOf(program);
        var recorder = new PromptRecorder(options.Model);
        var trainItems = await ItemsAsync(program, path, train, recorder, cancellationToken).ConfigureAwait(false);
        var validationItems = await ItemsAsync(program, path, validation, recorder, cancellationToken).ConfigureAwait(false);
        await ExportAsync(trainItems, validationItems, options with { ResponseFormat = options.ResponseFormat ?? recorder.Format }, directory, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Exports prompts at hand, e.g. those of one predictor in recorded traces, the rest of the program being left as it is.</summary>
    public static Task ExportAsync(
        IReadOnlyList<OpenAIReinforcementItem> train,
        IReadOnlyList<OpenAIReinforcementItem> validation,
        OpenAIReinforcementOptions options,
        string directory,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Grader.IsPartOnly)
            throw new TrainingNotSupportedException($"OpenAI takes the grader '{options.Grader.Name}' (a model that chooses labels) as a part of others only. Wrap it in OpenAIGrader.Multi.") { Options = ["Grader"] };
        if (train.Count == 0 || validation.Count == 0)
            throw new HoneException("Reinforcement fine-tuning needs a training and a validation set; one of them is empty.");
        return AtomicFile.WriteDirectoryAsync(
            directory,
            async (temporary, token) =>
            {
                Directory.CreateDirectory(temporary);
                await File.WriteAllBytesAsync(Path.Combine(temporary, TrainFile), LinesOf(train), token).ConfigureAwait(false);
                await File.WriteAllBytesAsync(Path.Combine(temporary, ValidationFile), LinesOf(validation), token).ConfigureAwait(false);
                await File.WriteAllBytesAsync(Path.Combine(temporary, JobFile), JobOf(options), token).ConfigureAwait(false);
            },
            cancellationToken);
    }

    private static string PredictorOf<TIn, TOut>(Program<TIn, TOut> program)
    {
        string[] all = [.. program.Predictors.Select(entry => entry.Key)];
        string[] trained = [.. all.Where(path => program.State[path].Model is null)];
        if (trained.Length != 1)
            throw new TrainingNotSupportedException(
                $"OpenAI's reinforcement fine-tuning tunes one prompt's answer, but this program trains {(trained.Length == 0 ? "no predictor" : $"{trained.Length} predictors: {string.Join(", ", trained)}")}. "
                + "Use Grpo with a model that can be trained (Hone.Engine, TinkerLM, ArborLM), or export one predictor's prompts from recorded traces with the other overload.")
            {
                Options = trained,
            };
        return all.Length == 1
            ? trained[0]
            : throw new TrainingNotSupportedException(
                $"The prompts of '{trained[0]}' may depend on answers of {string.Join(", ", all.Where(path => path != trained[0]))}, which an export does not ask for. "
                + $"Run the program on the examples and export trace.Of(\"{trained[0]}\") with the other overload.")
            { Options = trained };
    }

    private static async Task<IReadOnlyList<OpenAIReinforcementItem>> ItemsAsync<TIn, TOut>(
        Program<TIn, TOut> program, string path, IReadOnlyList<Example<TIn, TOut>> examples, PromptRecorder recorder, CancellationToken cancellationToken)
    {
        var recorded = program.WithModel(new LM(recorder, recorder.Model) { Retry = null }).WithRecovery(RecoveryPolicy.None);
        var items = new List<OpenAIReinforcementItem>(examples.Count);
        for (var i = 0; i < examples.Count; i++)
        {
            recorder.Messages = null;
            var outcome = await recorded.TryRunAsync(examples[i].Input, null, cancellationToken).ConfigureAwait(false);
            if (recorder.Messages is not { } messages)
                throw new HoneException($"Example {examples[i].Id ?? $"#{i}"}: '{path}' was not called, so there is no prompt to export.", outcome.Error?.SourceException);
            items.Add(new(messages, ReferenceOf(examples[i])));
        }

        return items;
    }

    private static FieldMap ReferenceOf<TIn, TOut>(Example<TIn, TOut> example)
    {
        var fields = example.Expected is null ? FieldMap.Empty : SignatureReflector.ToFieldMap(example.Expected, FieldDirection.Output);
        return FieldMap.Of([.. fields.Concat(example.Labels).DistinctBy(entry => entry.Key).Select(entry => (entry.Key, entry.Value))]);
    }

    private static byte[] LinesOf(IReadOnlyList<OpenAIReinforcementItem> items)
    {
        using var stream = new MemoryStream();
        for (var i = 0; i < items.Count; i++)
        {
            using (var writer = new Utf8JsonWriter(stream, Lines))
                WriteItem(writer, items[i], i);
            stream.WriteByte((byte)'\n');
        }

        return stream.ToArray();
    }

    private static void WriteItem(Utf8JsonWriter writer, OpenAIReinforcementItem item, int index)
    {
        if (item.Messages.Count == 0 || item.Messages[^1].Role.Value is not ("user" or "developer"))
            throw new HoneException($"The prompt of line {index} must end with a message of the user or the developer.");
        writer.WriteStartObject();
        writer.WriteStartArray("messages");
        foreach (var message in item.Messages)
        {
            if (message.Contents.FirstOrDefault(part => part is not TextContent) is { } other)
                throw new TrainingNotSupportedException($"The prompt of line {index} holds {other.GetType().Name}; only text can be exported.");
            writer.WriteStartObject();
            writer.WriteString("role", message.Role.Value);
            writer.WriteString("content", message.Text);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        foreach (var (name, value) in item.Reference)
        {
            if (name == "messages")
                throw new HoneException($"Line {index} has a reference field 'messages', a name that the prompt has. Rename it.");
            writer.WritePropertyName(name);
            writer.WriteRawValue(JsonText.Write(value));
        }

        writer.WriteEndObject();
    }

    private static byte[] JobOf(OpenAIReinforcementOptions options)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Lines with { Indented = true, NewLine = "\n" }))
        {
            writer.WriteStartObject();
            writer.WriteString("model", options.Model);
            writer.WriteString("training_file", TrainFile);
            writer.WriteString("validation_file", ValidationFile);
            if (options.Suffix is { } suffix)
                writer.WriteString("suffix", suffix);
            if (options.Seed is { } seed)
                writer.WriteNumber("seed", seed);
            writer.WriteStartObject("method");
            writer.WriteString("type", "reinforcement");
            writer.WriteStartObject("reinforcement");
            writer.WritePropertyName("grader");
            options.Grader.Write(writer);
            if (options.ResponseFormat is { Schema: { } schema } format)
                WriteFormat(writer, format, schema);
            WriteHyperparameters(writer, options);
            writer.WriteEndObject();
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
        return stream.ToArray();
    }

    private static void WriteFormat(Utf8JsonWriter writer, ChatResponseFormatJson format, JsonElement schema)
    {
        writer.WriteStartObject("response_format");
        writer.WriteString("type", "json_schema");
        writer.WriteStartObject("json_schema");
        writer.WriteString("name", format.SchemaName ?? "answer");
        writer.WritePropertyName("schema");
        schema.WriteTo(writer);
        writer.WriteBoolean("strict", true);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteHyperparameters(Utf8JsonWriter writer, OpenAIReinforcementOptions options)
    {
        writer.WriteStartObject("hyperparameters");
        foreach (var (name, value) in (ReadOnlySpan<(string, double?)>)
        [
            ("n_epochs", options.Epochs), ("batch_size", options.BatchSize), ("learning_rate_multiplier", options.LearningRateMultiplier),
            ("compute_multiplier", options.ComputeMultiplier), ("eval_interval", options.EvaluationInterval), ("eval_samples", options.EvaluationSamples),
        ])
        {
            if (value is { } number)
                writer.WriteNumber(name, number);
        }

        if (options.ReasoningEffort is { } effort)
            writer.WriteString("reasoning_effort", effort);
        writer.WriteEndObject();
    }

    /// <summary>Keeps the first prompt and answers nothing.</summary>
    private sealed class PromptRecorder(string model) : IChatClient
    {
        public string Model => model;

        public IReadOnlyList<ChatMessage>? Messages { get; set; }

        public ChatResponseFormatJson? Format { get; private set; }

        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        {
            if (options?.Tools is { Count: > 0 })
                throw new TrainingNotSupportedException("The predictor gives its model tools, which a grader cannot run. Describe them in the prompt, or train with Grpo.");
            Messages ??= [.. messages];
            Format ??= options?.ResponseFormat as ChatResponseFormatJson;
            throw new HoneException("The prompt is recorded; there is no answer.");
        }

        public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException("Prompts are recorded without streaming.");

        public object? GetService(Type serviceType, object? serviceKey = null) =>
            serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("openai", null, model) : serviceType.IsInstanceOfType(this) ? this : null;

        public void Dispose()
        {
        }
    }
}
