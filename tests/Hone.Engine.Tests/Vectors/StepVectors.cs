using System.Text.Json;
using Hone.Reinforcement;

namespace Hone.Engine.Tests;

/// <summary>Recorded training runs: policy losses and supervised losses over several optimizer steps, all weights and adapters.</summary>
internal static class StepVectors
{
    private const double Tolerance = 1e-4;
    private const double AdvantageTolerance = 1e-6;

    public static IEnumerable<(string Id, string? Failure)> GrpoSteps(string vectorsDir)
    {
        var folder = Path.Combine(EngineFolder(vectorsDir), "grpo_steps");
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "runs.json")));
        var sequences = document.RootElement.GetProperty("sequences").EnumerateArray().ToArray();
        foreach (var run in document.RootElement.GetProperty("runs").EnumerateArray())
            yield return ($"engine/grpo_steps/{run.GetProperty("name").GetString()}", GrpoRun(folder, sequences, run));
    }

    public static IEnumerable<(string Id, string? Failure)> SupervisedSteps(string vectorsDir)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(EngineFolder(vectorsDir), "sft_steps.json")));
        var name = document.RootElement.GetProperty("model").GetString()!;
        var batches = document.RootElement.GetProperty("batches").EnumerateArray().ToArray();
        foreach (var run in document.RootElement.GetProperty("runs").EnumerateArray())
        {
            var kind = run.GetProperty("name").GetString()!;
            yield return ($"engine/sft_steps/{kind}", SupervisedRun(EngineFolder(vectorsDir), name, batches, run, kind == "lora"));
        }
    }

    private static string? SupervisedRun(string folder, string name, JsonElement[] batches, JsonElement run, bool isLora)
    {
        var (config, weights) = Checkpoint.Load(Path.Combine(folder, "models", name));
        var adapter = isLora ? PeftAdapter.Load(Path.Combine(folder, "lora", name), config) : null;
        using var model = new TrainingModel(weights, adapter);
        using var optimizer = CreateOptimizer(model, run);
        foreach (var (step, index) in run.GetProperty("steps").EnumerateArray().Select((step, index) => (step, index)))
        {
            var sequences = batches[index].EnumerateArray()
                .Select(item => new SupervisedSequence(Integers(item.GetProperty("ids")), item.GetProperty("prompt_length").GetInt32())).ToArray();
            model.ZeroGradients();
            var loss = SupervisedPass.Run(model, sequences, workers: 2, rowBudget: 24);
            if (Update(model, optimizer, run, step, index, loss) is { } failure)
                return failure;
        }

        return null;
    }

    private static string? GrpoRun(string folder, JsonElement[] sequences, JsonElement run)
    {
        var advantages = AdvantagesOf(sequences, run);
        if (CompareAdvantages(advantages, run) is { } wrong)
            return wrong;
        var (config, weights) = Checkpoint.Load(Path.Combine(folder, "model"));
        var adapter = run.TryGetProperty("adapter", out var path) && path.ValueKind == JsonValueKind.String
            ? PeftAdapter.Load(Path.Combine(folder, "adapter"), config) : null;
        using var model = new TrainingModel(weights, adapter);
        using var optimizer = CreateOptimizer(model, run);
        var start = model.Trained.Tensors.Select(tensor => model.Trained.Slice(tensor).ToArray()).ToArray();
        var options = Options(run);
        var data = Data(sequences, advantages);
        var reference = options.Beta > 0 ? PolicyPass.Score(model, data, options.Temperature, 32, 2, default) : null;
        var updates = run.GetProperty("updates_per_batch").GetInt32();
        foreach (var (step, index) in run.GetProperty("steps").EnumerateArray().Select((step, index) => (step, index)))
        {
            if (updates > 1 && index % updates == 0)
            {
                var old = PolicyPass.Score(model, data, options.Temperature, 32, 2, default);
                data = [.. data.Select((datum, i) => datum with { OldLogProbs = old[i] })];
            }

            model.ZeroGradients();
            var pass = new PolicyPass(model, data, options, 32, reference).Run(2, default);
            var failure = Compare("mean_ratio", step, pass.MeanRatio) ?? Compare("mean_entropy", step, pass.MeanEntropy)
                ?? Compare("clip_fraction", step, pass.ClipFractionLow + pass.ClipFractionHigh)
                ?? (step.TryGetProperty("mean_kl", out _) ? Compare("mean_kl", step, pass.MeanKl) : null)
                ?? CompareSums(step, data, pass.LogProbs)
                ?? Update(model, optimizer, run, step, index, pass.Loss);
            if (failure is not null)
                return failure;
        }

        return CompareFinal(model.Trained, start, Path.Combine(folder, run.GetProperty("final_weights").GetString()!));
    }

    private static TrainingDatum[] Data(JsonElement[] sequences, double[] advantages) =>
        [.. sequences.Select((sequence, i) => new TrainingDatum
        {
            PromptIds = Integers(sequence.GetProperty("prompt")),
            CompletionIds = Integers(sequence.GetProperty("completion")),
            Mask = [.. sequence.GetProperty("mask").EnumerateArray().Select(value => value.GetSingle())],
            Advantage = advantages[i],
            Predictor = sequence.GetProperty("predictor").GetString()!,
        })];

    // Of the recorded rewards and groups; in the order of the sequences, wherever the members of a group stand.
    private static double[] AdvantagesOf(JsonElement[] sequences, JsonElement run)
    {
        var scaling = Enum.Parse<AdvantageScaling>(run.GetProperty("loss").GetProperty("scale_rewards").GetString()!, ignoreCase: true);
        int[][] groups = [.. Enumerable.Range(0, sequences.Length).GroupBy(i => sequences[i].GetProperty("group").GetString()).Select(group => group.ToArray())];
        var computed = Advantages.Compute([.. groups.Select(group => group.Select(i => RewardOf(sequences[i])).ToArray())], scaling);
        var advantages = new double[sequences.Length];
        foreach (var (group, values) in groups.Zip(computed))
        {
            foreach (var (i, value) in group.Zip(values))
                advantages[i] = value;
        }

        return advantages;
    }

    private static double? RewardOf(JsonElement sequence) => sequence.GetProperty("reward") is { ValueKind: JsonValueKind.Number } reward ? reward.GetDouble() : null;

    private static string? CompareAdvantages(double[] actual, JsonElement run)
    {
        var expected = run.GetProperty("advantages").EnumerateArray().Select(value => value.GetDouble()).ToArray();
        if (actual.Length != expected.Length)
            return $"{actual.Length} advantages, expected {expected.Length}";
        var worst = Enumerable.Range(0, actual.Length).MaxBy(i => Math.Abs(actual[i] - expected[i]));
        return Math.Abs(actual[worst] - expected[worst]) <= AdvantageTolerance ? null : $"advantage of sequence {worst} is {actual[worst]}, expected {expected[worst]}";
    }

    private static PolicyLossOptions Options(JsonElement run)
    {
        var loss = run.GetProperty("loss");
        return new()
        {
            Type = Enum.Parse<PolicyLossType>(loss.GetProperty("loss_type").GetString()!.Replace("_", "", StringComparison.Ordinal), ignoreCase: true),
            EpsilonLow = loss.GetProperty("epsilon_low").GetDouble(),
            EpsilonHigh = loss.GetProperty("epsilon_high").GetDouble(),
            Beta = loss.GetProperty("beta").GetDouble(),
            Temperature = run.GetProperty("temperature").GetDouble(),
        };
    }

    private static AdamW CreateOptimizer(TrainingModel model, JsonElement run)
    {
        var settings = run.GetProperty("optimizer");
        return new(model.Trained, new()
        {
            Beta1 = settings.GetProperty("betas")[0].GetDouble(),
            Beta2 = settings.GetProperty("betas")[1].GetDouble(),
            Epsilon = settings.GetProperty("epsilon").GetDouble(),
            WeightDecay = settings.GetProperty("weight_decay").GetDouble(),
            MaxGradientNorm = settings.GetProperty("max_grad_norm").GetDouble(),
        });
    }

    private static string? Update(TrainingModel model, AdamW optimizer, JsonElement run, JsonElement step, int index, double loss)
    {
        var settings = run.GetProperty("optimizer");
        var kind = Enum.Parse<ScheduleKind>(settings.GetProperty("schedule").GetString()!.Replace("_", "", StringComparison.Ordinal), ignoreCase: true);
        var rate = settings.GetProperty("learning_rate").GetDouble()
            * LearningRateSchedule.Multiplier(kind, index, settings.GetProperty("warmup_steps").GetInt32(), settings.GetProperty("total_steps").GetInt32());
        var norm = optimizer.Update(model.SumGradients(), rate);
        model.Repack();
        return Compare("loss", step, loss) ?? Compare("learning_rate", step, rate) ?? Compare("grad_norm", step, norm)
            ?? CompareWeights(model.Trained, run.GetProperty("sample_indices"), step.GetProperty("weights_after"), index);
    }

    private static string? CompareWeights(FlatTensors trained, JsonElement indices, JsonElement expected, int step)
    {
        foreach (var tensor in expected.EnumerateObject())
        {
            var actual = trained.Get(NameIn(trained, tensor.Name));
            var norm = Math.Sqrt(actual.ToArray().Sum(value => (double)value * value));
            if (Math.Abs(norm - tensor.Value.GetProperty("norm").GetDouble()) > Tolerance * Math.Max(1, norm))
                return $"step {step}: norm of {tensor.Name} is {norm}, expected {tensor.Value.GetProperty("norm")}";
            foreach (var (value, index) in tensor.Value.GetProperty("values").EnumerateArray().Zip(indices.GetProperty(tensor.Name).EnumerateArray()))
            {
                if (Math.Abs(actual[index.GetInt32()] - value.GetDouble()) > Tolerance)
                    return $"step {step}: {tensor.Name}[{index}] is {actual[index.GetInt32()]}, expected {value}";
            }
        }

        return null;
    }

    // Beside how far training has moved the weights: the norm of the difference may be a thousandth of it.
    private static string? CompareFinal(FlatTensors trained, float[][] start, string path)
    {
        using var file = SafetensorsFile.Open(path);
        var (difference, distance) = (0.0, 0.0);
        foreach (var (index, tensor) in trained.Tensors.Index())
        {
            var expected = new float[tensor.Length];
            var stored = file.Entries.Keys.First(name => name == tensor.Name || name.EndsWith(tensor.Name, StringComparison.Ordinal));
            file.Read(stored, expected);
            var actual = trained.Slice(tensor);
            var worst = 0.0;
            for (var i = 0; i < expected.Length; i++)
            {
                worst = Math.Max(worst, Math.Abs(actual[i] - expected[i]));
                difference += Math.Pow((double)actual[i] - expected[i], 2);
                distance += Math.Pow((double)expected[i] - start[index][i], 2);
            }

            if (worst > 3e-3)
                return $"final {tensor.Name} differs by up to {worst}";
        }

        (difference, distance) = (Math.Sqrt(difference), Math.Sqrt(distance));
        return difference <= 1e-3 * distance ? null : $"final weights differ by {difference} where they have moved by {distance}";
    }

    private static string NameIn(FlatTensors trained, string recorded) =>
        trained.Tensors.FirstOrDefault(tensor => recorded == tensor.Name || recorded.EndsWith("." + tensor.Name, StringComparison.Ordinal))?.Name ?? recorded;

    private static string? CompareSums(JsonElement step, TrainingDatum[] data, IReadOnlyList<float[]> logProbs)
    {
        var expected = step.GetProperty("sequence_logprobs").EnumerateArray().Select(value => value.GetDouble()).ToArray();
        for (var i = 0; i < expected.Length; i++)
        {
            var sum = logProbs[i].Select((value, t) => (double)value * data[i].Mask![t]).Sum();
            if (Math.Abs(sum - expected[i]) > 1e-3)
                return $"step {step.GetProperty("step")}: log-probability of sequence {i} is {sum}, expected {expected[i]}";
        }

        return null;
    }

    private static string? Compare(string name, JsonElement step, double actual)
    {
        var expected = step.GetProperty(name).GetDouble();
        return Math.Abs(actual - expected) <= Tolerance * Math.Max(1, Math.Abs(expected)) ? null : $"step {step.GetProperty("step")}: {name} is {actual}, expected {expected}";
    }

    // Either the folder of all vectors or its engine folder.
    private static string EngineFolder(string directory) =>
        Path.Combine(directory, "engine") is var inner && Directory.Exists(inner) ? inner : directory;

    private static int[] Integers(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetInt32())];
}
