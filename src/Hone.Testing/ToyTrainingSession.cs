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
    private ToyModel model;

    public ToyTrainingSession(ImmutableArray<ToyChoice> choices, double[][] logits)
    {
        this.choices = choices;
        model = new(logits);
        Policy = new ToyPolicy(choices, () => model.Logits, () => model.Version);
    }

    public TrainingCapabilities Capabilities { get; } =
        new() { Losses = [PolicyLossType.Dapo], MaxSequenceLength = int.MaxValue, IsFullFineTuning = true };

    public int PolicyVersion => model.Version;

    public IChatClient Policy { get; }

    public Task<ForwardBackwardResult> ForwardBackwardAsync(
        IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss, CancellationToken cancellationToken = default)
    {
        var scores = Score(data, loss.Temperature);
        var ratios = 0.0;
        for (var i = 0; i < data.Count; i++)
        {
            // The loss -A * ratio * log p, averaged over the batch's tokens; the ratio is 1 at the first update.
            var ratio = data[i].OldLogProbs is { } old ? Math.Exp(scores[i][0] - old[0]) : 1;
            model.AddSlope(data[i].PromptIds[0], CompletionOf(data[i]), -data[i].Advantage * ratio / data.Count, loss.Temperature);
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

    public Task<OptimizerStepResult> OptimizerStepAsync(OptimizerStepOptions options, CancellationToken cancellationToken = default) =>
        Task.FromResult(new OptimizerStepResult(model.Step(options.LearningRate), 0));

    public Task<IReadOnlyList<float[]>> ScoreAsync(IReadOnlyList<TrainingDatum> data, double temperature, CancellationToken cancellationToken = default) =>
        Task.FromResult<IReadOnlyList<float[]>>(Score(data, temperature));

    public Task SaveStateAsync(string directory, CancellationToken cancellationToken = default) =>
        WriteAsync(directory, model.Logits, model.Gradients, model.Version, cancellationToken);

    public async Task LoadStateAsync(string directory, CancellationToken cancellationToken = default)
    {
        var state = await ReadAsync(directory, cancellationToken).ConfigureAwait(false);
        model = new(state.Logits, state.Gradients, state.Version);
    }

    public Task<LM> SnapshotAsync(string name, CancellationToken cancellationToken = default)
    {
        var (frozen, frozenVersion) = (model.Logits, model.Version);
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
        [.. data.Select(datum => new[] { (float)model.LogProb(datum.PromptIds[0], CompletionOf(datum), temperature) })];

    private int CompletionOf(TrainingDatum datum) => datum.CompletionIds[0] - ToyPolicy.FirstToken(choices, datum.PromptIds[0]);
}

/// <summary>What a toy session writes down.</summary>
internal sealed record ToyState(double[][] Logits, double[][] Gradients, int Version);

/// <summary>The JSON of it.</summary>
[JsonSerializable(typeof(ToyState))]
internal sealed partial class ToyJson : JsonSerializerContext;
