using System.CommandLine;
using System.Text.Json;
using Banking77;
using Hone.Engine;
using Hone.Optimizers;
using Hone.Reinforcement;
using Spectre.Console;

var seed = new Option<long>("--seed") { Description = "Seed of everything.", DefaultValueFactory = _ => 1 };
var steps = new Option<int>("--steps") { Description = "Steps of reinforcement.", DefaultValueFactory = _ => 40 };
var epochs = new Option<int>("--epochs") { Description = "How often every message is imitated first.", DefaultValueFactory = _ => 5 };
var data = new Option<FileInfo?>("--data") { Description = "The Banking77 file (columns text, category). Without it, a small set of the sample's own." };
var checkpoint = new Option<DirectoryInfo?>("--checkpoint") { Description = "Train an adapter on a Hugging Face directory (Qwen2, Qwen2.5, Qwen3, Llama 3, SmolLM2) instead of the embedded model." };
var output = new Option<DirectoryInfo?>("--output") { Description = "Where the run is kept. By default a new folder under runs/." };

var command = new RootCommand("One classifier: supervised tuning first, then reinforcement.") { seed, steps, epochs, data, checkpoint, output };
command.SetAction(async (arguments, _) =>
{
    using var interrupt = new Interrupt();
    try
    {
        var (number, folder) = (arguments.GetValue(seed), RunFolder.Choose("banking", arguments.GetValue(output)?.FullName, resume: false));
        var set = arguments.GetValue(data) is { } file ? Dataset.Read(file.FullName, number) : Dataset.Mini(number);
        var model = arguments.GetValue(checkpoint) is { } directory ? EngineLM.Load(directory.FullName) : EngineLM.Embedded();
        var start = new Predict<Message, Intent>("Name the intent of the customer's message.").WithModel(model);
        AnsiConsole.MarkupLineInterpolated($"{set.Imitate.Count} messages to imitate, {set.Test.Count} to report, {set.Test.Select(row => row.Expected.Category).Distinct().Count()} intents");

        // First by imitation: the format, and what the intents are called.
        var demonstrations = set.Imitate.Select(row => Demonstration.Of(start, "self", FieldMap.Of(("text", row.Input.Text)), FieldMap.Of(("category", row.Expected.Category)))).ToArray();
        var tuning = new SupervisedTuning<Message, Intent>(new()
        {
            Epochs = arguments.GetValue(epochs),
            BatchSize = 16,
            LearningRate = arguments.GetValue(checkpoint) is null ? 1e-3 : 1e-4,
            Lora = arguments.GetValue(checkpoint) is null ? null : new(),
            Seed = number,
            Progress = new SynchronousSteps(),
        });
        var tuned = (await tuning.CompileAsync(start, demonstrations, interrupt.Token)).Program;

        // Then by reinforcement: what the intents are worth telling apart.
        var metric = Metric.From<Message, Intent>((example, intent) => example.Expected.Category == intent.Category);
        var display = new TrainingDisplay(arguments.GetValue(steps), "accuracy");
        var grpo = Grpo.Create(metric, new()
        {
            Steps = arguments.GetValue(steps),
            Seed = number,
            ExamplesPerStep = 16,
            RolloutsPerExample = 8,
            MaxParallelism = 64,
            Sampling = new() { Temperature = 1, MaxOutputTokens = 48 },
            Scaling = AdvantageScaling.Group,
            LearningRate = arguments.GetValue(checkpoint) is null ? 1e-4 : null,
            Lora = arguments.GetValue(checkpoint) is null ? null : new(),
            WarmupSteps = 3,
            ValidateEvery = 10,
            RunDirectory = folder,
            Progress = display,
            Stop = interrupt.Token,
        });
        var result = await display.ShowAsync(() => grpo.CompileAsync(tuned, set.Train, set.Validation, CancellationToken.None));

        var scores = new List<(string Name, EvaluationResult<Message, Intent> Result)>();
        foreach (var (name, program) in new[] { ("untrained", start), ("imitation", tuned), ("reinforcement", result.Program) })
            scores.Add((name, await Evaluator.Create(metric, new() { MaxParallelism = 64, MaxErrors = int.MaxValue, Options = new() { Temperature = 0, MaxOutputTokens = 48 }, Recovery = RecoveryPolicy.None }).EvaluateAsync(program, set.Test)));
        var table = new Table().Border(TableBorder.Rounded).AddColumns("held-out messages", "accuracy", "95 % interval");
        foreach (var (name, score) in scores)
            table.AddRow(name, $"{score.Mean:P1}", $"{100 * score.Interval.Low:0.0} … {100 * score.Interval.High:0.0}");
        AnsiConsole.Write(table);
        var gain = Bootstrap.Compare(scores[1].Result.Scores, scores[2].Result.Scores, number);
        AnsiConsole.MarkupLineInterpolated($"{(gain.IsSignificant ? "Reinforcement" : "No significant change by reinforcement:")} {100 * gain.Gain:+0.0;-0.0} points [[{100 * gain.Interval.Low:0.0}, {100 * gain.Interval.High:0.0}]]");
        await result.Program.SaveAsync(Path.Combine(folder, "program.json"));
        var evidence = scores.ToDictionary(score => score.Name, score => new { accuracy = score.Result.Mean, interval = new[] { score.Result.Interval.Low, score.Result.Interval.High } });
        await AtomicFile.WriteTextAsync(
            Path.Combine(folder, "result.json"),
            JsonSerializer.Serialize(new { seed = number, scores = evidence, gain = gain.Gain, interval = new[] { gain.Interval.Low, gain.Interval.High }, seconds = result.Duration.TotalSeconds }) + "\n");
        return 0;
    }
    catch (Exception error) when (error is HoneException or IOException or InvalidDataException or OperationCanceledException)
    {
        Console.Error.WriteLine($"error: {error.Message}");
        return 1;
    }
});
return await command.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
