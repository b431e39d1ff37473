using System.Text.Json;
using Hone.Engine;
using Hone.Reinforcement;

namespace Hone.Engine.Tests;

/// <summary>Evaluates losses and schedules of vectors/engine/losses.json; no test framework, so that the conformance program can share it.</summary>
public static class LossVectors
{
    private const double Tolerance = 1e-9, SingleTolerance = 1e-5;

    public static IEnumerable<(string Id, string? Failure)> Run(string vectorsDir)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(vectorsDir, "engine", "losses.json")));
        foreach (var test in document.RootElement.GetProperty("cases").EnumerateArray())
        {
            var id = test.GetProperty("id").GetString()!;
            yield return ($"engine/losses/{id}", Evaluate<double>(test, Tolerance));
            yield return ($"engine/losses/{id}/float", Evaluate<float>(test, SingleTolerance));
        }
        foreach (var test in document.RootElement.GetProperty("schedules").EnumerateArray())
        {
            int warmup = test.GetProperty("warmup_steps").GetInt32(), total = test.GetProperty("total_steps").GetInt32();
            var kind = test.GetProperty("kind").GetString()!;
            var factors = Numbers(test.GetProperty("factors"));
            var actual = factors.Select((_, step) => LearningRateSchedule.Multiplier(ParseName<ScheduleKind>(kind), step, warmup, total)).ToArray();
            yield return ($"engine/schedules/{kind}/{warmup}-{total}", Compare("factors", factors, actual, Tolerance));
        }
    }

    private static string? Evaluate<T>(JsonElement test, double tolerance)
        where T : struct, System.Numerics.IFloatingPointIeee754<T>
    {
        var options = ReadOptions(test.GetProperty("config"));
        var sequences = test.GetProperty("sequences").EnumerateArray().ToArray();
        var expect = test.GetProperty("expect");
        var advantages = Numbers(expect.GetProperty("advantages"));
        int[][] microbatches = test.TryGetProperty("micro_batches", out var split)
            ? [.. split.EnumerateArray().Select(part => part.EnumerateArray().Select(index => index.GetInt32()).ToArray())]
            : [[.. Enumerable.Range(0, sequences.Length)]];
        var counts = sequences.Select((sequence, index) => new SequenceCount(
            sequence.GetProperty("mask").EnumerateArray().Count(bit => bit.GetInt32() != 0), IsTruncated(sequence),
            Array.FindIndex(microbatches, part => part.Contains(index)))).ToArray();
        var normalizer = LossNormalizer.Create(options, counts);

        var metrics = new PolicyLossMetrics();
        var microLosses = new double[microbatches.Length];
        var failures = new List<string?>();
        for (var part = 0; part < microbatches.Length; part++)
        {
            foreach (var index in microbatches[part])
            {
                var sequence = sequences[index];
                var newValues = Read<T>(sequence, "new");
                var mask = sequence.GetProperty("mask").EnumerateArray().Select(bit => bit.GetInt32() != 0).ToArray();
                double[] ratios = new double[mask.Length], corrections = new double[mask.Length], losses = new double[mask.Length];
                var gradient = new T[mask.Length];
                microLosses[part] += PolicyLoss.AddSequence(
                    options, new TokenLogProbs<T>(newValues, Read<T>(sequence, "old"), Read<T>(sequence, "sampler"), Read<T>(sequence, "ref"), mask),
                    advantages[index], IsTruncated(sequence), normalizer.WeightOf(index), gradient, ref metrics,
                    new PolicyLossDetail { Ratios = ratios, CorrectionWeights = corrections, TokenLosses = losses });
                failures.Add(Compare($"ratios[{index}]", Numbers(expect.GetProperty("ratios")[index]), ratios, tolerance));
                if (expect.TryGetProperty("correction_weights", out var weights) && weights.ValueKind == JsonValueKind.Array)
                    failures.Add(Compare($"correction_weights[{index}]", Numbers(weights[index]), corrections, tolerance));
                failures.Add(Compare($"token_losses[{index}]", Numbers(expect.GetProperty("token_losses")[index]), losses, tolerance));
                failures.Add(Compare($"gradients[{index}]", Numbers(expect.GetProperty("gradients")[index]),
                    [.. gradient.Select(double.CreateChecked)], tolerance));
            }
        }
        failures.Add(Compare("active_tokens", [expect.GetProperty("active_tokens").GetDouble()], [normalizer.ActiveTokens], 0));
        failures.Add(Compare("micro_losses", Numbers(expect.GetProperty("micro_losses")), microLosses, tolerance));
        failures.Add(Compare("loss", [expect.GetProperty("loss").GetDouble()], [microLosses.Sum()], tolerance));
        failures.Add(Compare("mean_ratio", [expect.GetProperty("mean_ratio").GetDouble()], [metrics.MeanRatio], tolerance));
        failures.Add(Compare("clip_fraction", [expect.GetProperty("clip_fraction").GetDouble()], [metrics.ClipFraction], tolerance));
        if (expect.TryGetProperty("mean_kl", out var kl)) failures.Add(Compare("mean_kl", [kl.GetDouble()], [metrics.MeanKl], tolerance));
        return failures.FirstOrDefault(failure => failure is not null);
    }

    private static PolicyLossOptions ReadOptions(JsonElement config)
    {
        var options = new PolicyLossOptions
        {
            Type = ParseName<PolicyLossType>(config.GetProperty("loss_type").GetString()!),
            EpsilonLow = config.GetProperty("epsilon_low").GetDouble(),
            EpsilonHigh = Optional(config, "epsilon_high"),
            Delta = Optional(config, "delta"),
            Beta = config.GetProperty("beta").GetDouble(),
            MaxCompletionLength = (int)(Optional(config, "max_completion_length") ?? 0),
            MaskTruncated = config.GetProperty("mask_truncated").GetBoolean(),
            OffPolicyThreshold = Optional(config, "off_policy_threshold"),
        };
        if (config.GetProperty("importance_correction") is not { ValueKind: JsonValueKind.Object } correction) return options;
        return options with
        {
            Correction = ParseName<ImportanceCorrection>(correction.GetProperty("mode").GetString()!),
            CorrectionMin = Optional(correction, "min"),
            CorrectionMax = Optional(correction, "max"),
        };
    }

    private static TEnum ParseName<TEnum>(string snakeCase)
        where TEnum : struct, Enum => Enum.Parse<TEnum>(snakeCase.Replace("_", "", StringComparison.Ordinal), ignoreCase: true);

    private static bool IsTruncated(JsonElement sequence) => sequence.TryGetProperty("truncated", out var value) && value.GetBoolean();

    private static double? Optional(JsonElement element, string name) =>
        element.GetProperty(name) is { ValueKind: JsonValueKind.Number } value ? value.GetDouble() : null;

    private static T[] Read<T>(JsonElement sequence, string name)
        where T : struct, System.Numerics.IFloatingPointIeee754<T> =>
        sequence.TryGetProperty(name, out var values) ? [.. Numbers(values).Select(T.CreateTruncating)] : [];

    private static double[] Numbers(JsonElement array) => [.. array.EnumerateArray().Select(value => value.GetDouble())];

    // The file keeps 9 to 12 significant digits, so large values are compared relative to their size.
    private static string? Compare(string what, double[] expected, double[] actual, double tolerance)
    {
        if (expected.Length != actual.Length) return $"{what}: expected {expected.Length} values, got {actual.Length}";
        for (var i = 0; i < expected.Length; i++)
        {
            var close = Math.Abs(expected[i] - actual[i]) <= tolerance * Math.Max(1, Math.Abs(expected[i]));
            if (!close) return $"{what}[{i}]: expected {expected[i]:R}, got {actual[i]:R}";
        }
        return null;
    }
}
