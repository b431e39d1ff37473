using System.Text.Json;
using Hone.Engine;

namespace Hone.Engine.Tests.Vectors;

/// <summary>
/// Evaluates the recorded cases of an independent float64 reference against the engine. Free of any test framework; a failure is a sentence, null
/// means passed.
/// </summary>
internal static class EngineVectors
{
    private const double LogitTolerance = 1e-4;
    private const double GradientTolerance = 1e-4;

    /// <summary>
    /// The folder of the engine's vectors: from HONE_VECTORS, or <c>shared/vectors</c> beside one of the parent folders; null when absent.
    /// </summary>
    public static string? FindDirectory()
    {
        if (Environment.GetEnvironmentVariable("HONE_VECTORS") is { Length: > 0 } configured)
            return Directory.Exists(Path.Combine(configured, "engine")) ? Path.Combine(configured, "engine") : null;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "shared", "vectors", "engine");
            if (Directory.Exists(candidate)) return candidate;
        }

        return null;
    }

    /// <summary>Logits of every case and scores of every completion, for all models of <c>forward.json</c>.</summary>
    public static IEnumerable<(string Id, string? Failure)> Forward(string vectorsDir)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(vectorsDir, "forward.json")));
        foreach (var model in document.RootElement.GetProperty("models").EnumerateArray())
        {
            var name = model.GetProperty("model").GetString()!;
            var (_, weights) = Checkpoint.Load(Path.Combine(vectorsDir, "models", name));
            using var inference = InferenceModel.Create(weights);
            using var training = new TrainingModel(weights, laneCount: 1);
            var index = 0;
            foreach (var item in model.GetProperty("cases").EnumerateArray())
                yield return ($"forward/{name}/case{index++}", CompareLogits(inference, item));
            index = 0;
            foreach (var item in model.GetProperty("scoring").EnumerateArray())
                yield return ($"forward/{name}/scoring{index++}", CompareScores(training, item));
            // The same from the files themselves, in their number format.
            using var frozen = Checkpoint.Open(Path.Combine(vectorsDir, "models", name));
            using var mapped = new HostInferenceModel(frozen, null);
            index = 0;
            foreach (var item in model.GetProperty("cases").EnumerateArray())
                yield return ($"forward/{name}/mapped/case{index++}", CompareLogits(mapped, item));
            weights.Dispose();
        }
    }

    /// <summary>Loss, norm and gradients of every model of <c>gradients.json</c>: full and adapter, with and without shared prefixes.</summary>
    public static IEnumerable<(string Id, string? Failure)> Gradients(string vectorsDir)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(vectorsDir, "gradients.json")));
        foreach (var model in document.RootElement.GetProperty("models").EnumerateArray())
        {
            var name = model.GetProperty("model").GetString()!;
            using var frozen = Checkpoint.Open(Path.Combine(vectorsDir, "models", name));
            var (config, weights) = (frozen.Config, frozen.Expand());
            using var adapter = PeftAdapter.Load(Path.Combine(vectorsDir, "lora", name), config);
            var sequences = model.GetProperty("batch").EnumerateArray()
                .Select(item => new TrainingSequence(Integers(item.GetProperty("ids")), item.GetProperty("prompt_length").GetInt32())).ToArray();
            foreach (var share in new[] { false, true })
            {
                var suffix = share ? "shared" : "unshared";
                yield return ($"gradients/{name}/full/{suffix}", CompareGradients(new(weights, null, 2), sequences, share, model.GetProperty("full")));
                yield return ($"gradients/{name}/lora/{suffix}", CompareGradients(new(weights, adapter, 2), sequences, share, model.GetProperty("lora")));
                yield return (
                    $"gradients/{name}/lora/mapped/{suffix}", CompareGradients(new(frozen, adapter, 2), sequences, share, model.GetProperty("lora")));
            }

            using var beside = new HostInferenceModel(frozen, adapter);
            yield return ($"gradients/{name}/lora/mapped/logits", CompareAdapterLogits(beside, sequences[0].Tokens, model.GetProperty("lora")));
            using var merged = InferenceModel.Create(weights, adapter);

            yield return ($"gradients/{name}/lora/logits", CompareAdapterLogits(merged, sequences[0].Tokens, model.GetProperty("lora")));
            weights.Dispose();
        }
    }

    /// <summary>Logits [T][V] of a whole sequence computed in one step.</summary>
    public static float[][] Logits(InferenceModel model, int[] tokens)
    {
        using var pool = new KeyValuePool(model.Config);
        using var segment = new KeyValueSegment(pool);
        using var scratch = model.CreateScratch(tokens.Length, tokens.Length);
        model.Forward(scratch, [.. tokens.Select((token, position) => new InferenceRow(segment, position, token, true))]);
        return [.. tokens.Select((_, row) => scratch.Logits(row).ToArray())];
    }

    private static string? CompareLogits(InferenceModel model, JsonElement item)
    {
        var logits = Logits(model, Integers(item.GetProperty("ids")));
        var worst = item.TryGetProperty("logits", out var all)
            ? all.EnumerateArray().Select((row, position) => MaxDifference(logits[position], Numbers(row))).Max()
            : MaxDifference(logits[^1], Numbers(item.GetProperty("last_logits")));
        if (!(worst <= LogitTolerance)) return $"logits differ by {worst:G3}";
        var statistics = item.GetProperty("stats");
        var argmax = Integers(statistics.GetProperty("argmax"));
        for (var position = 0; position < argmax.Length; position++)
        {
            var largest = Array.IndexOf(logits[position], logits[position].Max());
            if (largest != argmax[position]) return $"the largest logit at position {position} is {largest} instead of {argmax[position]}";
        }

        var sums = Numbers(statistics.GetProperty("logsumexp"));
        var worstSum = logits.Select((row, position) => Math.Abs(Math.Log(row.Sum(value => Math.Exp(value))) - sums[position])).Max();
        return worstSum <= LogitTolerance ? null : $"log-sum-exp differs by {worstSum:G3}";
    }

    private static string? CompareScores(TrainingModel model, JsonElement item)
    {
        int[] prompt = Integers(item.GetProperty("prompt")), completion = Integers(item.GetProperty("completion"));
        var batch = PackedBatch.Plan([new TrainingSequence([.. prompt, .. completion], prompt.Length)], 4096)[0];
        float[] logProbs = new float[batch.Targets.Count], entropies = new float[batch.Targets.Count];
        model.ForwardScore(model.Lanes[0], batch, (float)item.GetProperty("temperature").GetDouble(), logProbs, entropies);
        var worst = MaxDifference(logProbs, Numbers(item.GetProperty("logprobs")));
        if (!(worst <= LogitTolerance)) return $"log-probabilities differ by {worst:G3}";
        worst = MaxDifference(entropies, Numbers(item.GetProperty("entropies")));
        return worst <= LogitTolerance ? null : $"entropies differ by {worst:G3}";
    }

    private static string? CompareGradients(TrainingModel owned, TrainingSequence[] sequences, bool share, JsonElement expected)
    {
        using var model = owned;
        var batches = PackedBatch.Plan(sequences, 30, share);
        var count = sequences.Sum(sequence => sequence.Tokens.Length - sequence.CompletionStart);
        var loss = 0.0;
        model.ForEachBatch(batches, 1, (lane, index) =>
        {
            var targets = batches[index].Targets.Count;
            float[] logProbs = new float[targets], entropies = new float[targets], gradient = new float[targets];
            model.ForwardScore(lane, batches[index], 1f, logProbs, entropies);
            Array.Fill(gradient, -1f / count);
            model.Backward(lane, batches[index], gradient);
            loss -= logProbs.Sum(value => (double)value) / count;
        });
        var sum = model.SumGradients().ToArray();
        var expectedLoss = expected.GetProperty("loss").GetDouble();
        if (!(Math.Abs(loss - expectedLoss) <= 1e-4)) return $"loss {loss} instead of {expectedLoss}";
        var (norm, expectedNorm) = (Norm(sum), expected.GetProperty("grad_norm").GetDouble());
        if (!(Math.Abs(norm - expectedNorm) <= GradientTolerance * expectedNorm)) return $"gradient norm {norm} instead of {expectedNorm}";
        foreach (var entry in expected.GetProperty("gradients").EnumerateObject())
        {
            if (CompareTensor(sum, model.Trained.Tensor(entry.Name), entry.Value) is { } failure) return failure;
        }

        return null;
    }

    private static string? CompareTensor(float[] gradients, ParameterTensor tensor, JsonElement expected)
    {
        var values = gradients.AsSpan(tensor.Offset, tensor.Length).ToArray();
        var norm = expected.GetProperty("norm").GetDouble();
        var tolerance = GradientTolerance * norm + 1e-9;
        if (!(Math.Abs(Norm(values) - norm) <= tolerance)) return $"{tensor.Name}: norm {Norm(values)} instead of {norm}";
        var (sum, expectedSum) = (values.Sum(value => (double)value), expected.GetProperty("sum").GetDouble());
        if (!(Math.Abs(sum - expectedSum) <= 10 * tolerance)) return $"{tensor.Name}: sum {sum} instead of {expectedSum}";
        int[] indices = Integers(expected.GetProperty("indices"));
        double[] samples = Numbers(expected.GetProperty("values"));
        for (var i = 0; i < indices.Length; i++)
        {
            var value = values[indices[i]];
            if (!(Math.Abs(value - samples[i]) <= tolerance)) return $"{tensor.Name}[{indices[i]}]: {value} instead of {samples[i]}";
        }

        return null;
    }

    private static string? CompareAdapterLogits(InferenceModel model, int[] tokens, JsonElement expected)
    {
        var worst = MaxDifference(Logits(model, tokens)[^1], Numbers(expected.GetProperty("last_logits_of_first_sequence")));
        return worst <= LogitTolerance ? null : $"logits with the adapter differ by {worst:G3}";
    }

    private static double Norm(float[] values) => Math.Sqrt(values.Sum(value => (double)value * value));

    private static double MaxDifference(float[] actual, double[] expected) => actual.Length != expected.Length
        ? double.PositiveInfinity
        : actual.Zip(expected, (left, right) => double.IsFinite(left) ? Math.Abs(left - right) : double.PositiveInfinity).Max();

    private static int[] Integers(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetInt32())];

    private static double[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetDouble())];
}
