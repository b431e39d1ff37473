using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Hone.Reinforcement;
using Microsoft.Extensions.AI;

namespace Hone.Testing;

/// <summary>Trains a <see cref="ToyPolicy"/> by plain gradient ascent on the token-mean policy gradient.</summary>
internal sealed class ToyTrainingSession : ITrainingSession
{
    private const string FileName = "toy.json";

    private readonly ImmutableArray<ToyChoice> choices;
    private double[][] logits;
    private double[][] gradients;
    private int version;

    public ToyTrainingSession(ImmutableArray<ToyChoice> choices, double[][] logits)
    {
        (this.choices, this.logits) = (choices, logits);
        gradients = Zeros(logits);
        Policy = new ToyPolicy(choices, () => this.logits, () => version);
    }

    public TrainingCapabilities Capabilities { get; } =
        new() { Losses = [PolicyLossType.Dapo], MaxSequenceLength = int.MaxValue, IsFullFineTuning = true };

    public int PolicyVersion => version;

    public IChatClient Policy { get; }

    public Task<ForwardBackwardResult> ForwardBackwardAsync(
        IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss, CancellationToken cancellationToken = default)
    {
        var scores = Score(data, loss.Temperature);
        var ratios = 0.0;
        for (var i = 0; i < data.Count; i++)
        {
            // d/dz of -A * ratio * log softmax(z / T)[o], averaged over the batch's tokens; the ratio is 1 at the first update.
            var ratio = data[i].OldLogProbs is { } old ? Math.Exp(scores[i][0] - old[0]) : 1;
            var row = data[i].PromptIds[0];
            var logProbs = ToyPolicy.LogSoftmax(logits[row], loss.Temperature);
            for (var completion = 0; completion < logProbs.Length; completion++)
            {
                var hit = completion == CompletionOf(data[i]) ? 1 : 0;
                gradients[row][completion] -= data[i].Advantage * ratio * (hit - Math.Exp(logProbs[completion])) / loss.Temperature / data.Count;
            }

            ratios += ratio;
        }

        return Task.FromResult(new ForwardBackwardResult
        {
            LogProbs = scores,
            MeanRatio = data.Count == 0 ? 1 : ratios / data.Count,
            ActiveTokens = data.Count,
            SamplerDifferenceMax = data.Select((datum, i) => datum.SamplerLogProbs.Count == 0 ? 0 : Math.Abs((double)datum.SamplerLogProbs[0] - scores[i][0])).DefaultIfEmpty().Max(),
        });
    }

    public Task<OptimizerStepResult> OptimizerStepAsync(OptimizerStepOptions options, CancellationToken cancellationToken = default)
    {
        var norm = Math.Sqrt(gradients.Sum(row => row.Sum(value => value * value)));
        logits = [.. logits.Select((row, i) => row.Select((value, j) => value - (options.LearningRate * gradients[i][j])).ToArray())];
        gradients = Zeros(logits);
        version++;
        return Task.FromResult(new OptimizerStepResult(norm, 0));
    }

    public Task<IReadOnlyList<float[]>> ScoreAsync(IReadOnlyList<TrainingDatum> data, double temperature, CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<float[]>>(Score(data, temperature));

    public Task SaveStateAsync(string directory, CancellationToken cancellationToken = default) => WriteAsync(directory, logits, gradients, version, cancellationToken);

    public async Task LoadStateAsync(string directory, CancellationToken cancellationToken = default)
    {
        var state = await ReadAsync(directory, cancellationToken).ConfigureAwait(false);
        (logits, gradients, version) = (state.Logits, state.Gradients, state.Version);
    }

    public Task<LM> SnapshotAsync(string name, CancellationToken cancellationToken = default)
    {
        var (frozen, frozenVersion) = (logits, version);
        return Task.FromResult(new LM(new ToyPolicy(choices, () => frozen, () => frozenVersion), name));
    }

    public async Task<LM> LoadSnapshotAsync(string directory, string name, CancellationToken cancellationToken = default)
    {
        var state = await ReadAsync(directory, cancellationToken).ConfigureAwait(false);
        return new(new ToyPolicy(choices, () => state.Logits, () => state.Version), name);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    internal static async Task WriteAsync(string directory, double[][] logits, double[][] gradients, int version, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(directory);
        await File.WriteAllTextAsync(Path.Combine(directory, FileName), JsonSerializer.Serialize(new ToyState(logits, gradients, version), ToyJson.Default.ToyState), cancellationToken)
            .ConfigureAwait(false);
    }

    private static async Task<ToyState> ReadAsync(string directory, CancellationToken cancellationToken) =>
        JsonSerializer.Deserialize(await File.ReadAllTextAsync(Path.Combine(directory, FileName), cancellationToken).ConfigureAwait(false), ToyJson.Default.ToyState)!;

    private float[][] Score(IReadOnlyList<TrainingDatum> data, double temperature) =>
        [.. data.Select(datum => new[] { (float)ToyPolicy.LogSoftmax(logits[datum.PromptIds[0]], temperature)[CompletionOf(datum)] })];

    private int CompletionOf(TrainingDatum datum) => datum.CompletionIds[0] - ToyPolicy.FirstToken(choices, datum.PromptIds[0]);

    private static double[][] Zeros(double[][] shape) => [.. shape.Select(row => new double[row.Length])];
}

/// <summary>What a toy session writes down.</summary>
internal sealed record ToyState(double[][] Logits, double[][] Gradients, int Version);

/// <summary>The JSON of it.</summary>
[JsonSerializable(typeof(ToyState))]
internal sealed partial class ToyJson : JsonSerializerContext;
