using System.Globalization;
using Microsoft.Extensions.AI;

namespace Hone.Reinforcement;

/// <summary>
/// Trains with an Arbor server. Arbor takes groups of texts with rewards, one at a time and in the order of its numbers, and does the rest itself:
/// it tokenizes again, compares within the group and takes an optimizer step for each. The job starts at the first use, so that a session that
/// goes on with an earlier job takes no GPUs for a new one.
/// </summary>
internal sealed class ArborSession : ITrainingSession
{
    private readonly ArborOptions options;
    private readonly TrainingOptions training;
    private readonly ArborJob job;
    private readonly List<TrainingText[]> waiting = [];
    private int names;

    public ArborSession(ArborOptions options, TrainingOptions training)
    {
        (this.options, this.training) = (options, training);
        job = new(options, training);
        Policy = new ArborChatClient(options.Connect(), options.Model, async token => (await job.StartedAsync(token).ConfigureAwait(false)).CurrentModel);
    }

    public TrainingCapabilities Capabilities => new()
    {
        Losses = ArborPreflight.Losses,
        MaxSequenceLength = options.MaxSequenceLength,
        IsFullFineTuning = training.Lora is null,
        LearnsFromText = true,
        CanScore = false,
        CanRestore = false,
        LearnsByGroup = true,
    };

    public int PolicyVersion { get; private set; }

    public IChatClient Policy { get; }

    /// <summary>Sorts the data into groups; they are sent by the optimizer step. Arbor takes full groups only: the members of others are repeated in turn.</summary>
    public Task<ForwardBackwardResult> ForwardBackwardAsync(
        IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss, CancellationToken cancellationToken = default)
    {
        ArborPreflight.Check(loss, training.Plan!.Loss);
        var texts = data.Select((datum, i) => datum.Text
            ?? throw new HoneException($"Training datum {i} of predictor '{datum.Predictor}' has no Text, and Arbor learns from texts only.")).ToArray();
        var groups = texts.GroupBy(text => text.Group).Select(group => group.ToArray()).ToArray();
        var size = training.Plan.GroupSize;
        var large = groups.Count(group => group.Length > size);
        if (large > 0)
            throw new HoneException($"{large} groups have more than the {size} members that the Arbor job was started with.");
        var filled = groups.Count(group => group.Length < size);
        if (filled > 0)
            RemoteLog.GroupsFilled(options.Logger ?? Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, filled, size);
        waiting.AddRange(groups.Select(group => Enumerable.Range(0, size).Select(i => group[i % group.Length]).ToArray()));

        // Arbor tells nothing of what it computes: unknown is not zero.
        return Task.FromResult(new ForwardBackwardResult
        {
            LogProbs = [.. data.Select(_ => Array.Empty<float>())],
            Loss = double.NaN,
            MeanEntropy = double.NaN,
            SamplerDifferenceMean = double.NaN,
            SamplerDifferenceMax = double.NaN,
        });
    }

    /// <summary>Sends every group, each when it is asked for, and waits until the trainer asks for another one.</summary>
    public async Task<OptimizerStepResult> OptimizerStepAsync(OptimizerStepOptions options, CancellationToken cancellationToken = default)
    {
        ArborPreflight.Check(options, training.Plan!.Optimizer);
        var started = this.options.Time.GetTimestamp();
        await job.StartedAsync(cancellationToken).ConfigureAwait(false);
        LeaveOutTheOldest();
        var sent = 0;
        while (waiting.Count > 0)
        {
            await job.SendAsync(waiting[0], cancellationToken).ConfigureAwait(false);
            waiting.RemoveAt(0);
            sent++;
        }

        if (job.GroupsSent < this.options.MaxGroups)
            await job.WaitUntilWantedAsync(cancellationToken).ConfigureAwait(false);
        PolicyVersion++;

        // The last group is learned from after the updates of all before it; the weights that sampled lack one more, which the server hands over late.
        return new(double.NaN, this.options.Time.GetElapsedTime(started).TotalSeconds) { Staleness = sent };
    }

    public Task<IReadOnlyList<float[]>> ScoreAsync(IReadOnlyList<TrainingDatum> data, double temperature, CancellationToken cancellationToken = default) =>
        throw new TrainingNotSupportedException("Arbor cannot score completions: its protocol has no such request. Use a Tinker service or Hone.Engine.") { Options = ["ScoreAsync"] };

    public async Task SaveStateAsync(string directory, CancellationToken cancellationToken = default)
    {
        if (Directory.Exists(directory))
            throw new HoneException($"Training state is written to a new directory, but {directory} exists.");
        var path = await job.CheckpointAsync("hone-state", cancellationToken).ConfigureAwait(false);
        await job.ReferenceTo(path, PolicyVersion).SaveAsync(directory, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Goes on with a job that still runs and has taken no group since. Arbor can load nothing: with the job its optimizer is gone.</summary>
    public async Task LoadStateAsync(string directory, CancellationToken cancellationToken = default)
    {
        var reference = await ArborReference.LoadAsync(directory, cancellationToken).ConfigureAwait(false);
        await job.GoOnAsync(reference, cancellationToken).ConfigureAwait(false);
        waiting.Clear();
        PolicyVersion = reference.PolicyVersion;
    }

    public async Task<LM> SnapshotAsync(string name, CancellationToken cancellationToken = default)
    {
        var clean = new string([.. name.Select(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' ? character : '-')]);
        var path = await job.CheckpointAsync($"{clean}-{(++names).ToString(CultureInfo.InvariantCulture)}", cancellationToken).ConfigureAwait(false);
        return ArborLM.OnCheckpoint(options, job.ReferenceTo(path, PolicyVersion), name);
    }

    public async Task<LM> LoadSnapshotAsync(string directory, string name, CancellationToken cancellationToken = default)
    {
        var reference = await ArborReference.LoadAsync(directory, cancellationToken).ConfigureAwait(false);
        return reference.CheckpointDirectory is null
            ? throw new HoneException($"{directory} names no checkpoint of an Arbor job.")
            : ArborLM.OnCheckpoint(options, reference, name);
    }

    public ValueTask DisposeAsync() => job.DisposeAsync();

    // Each group that is sent makes those behind it one update older. Which ones go is drawn: by their order, the last predictors would never learn.
    private void LeaveOutTheOldest()
    {
        if (options.MaxStaleness is not { } most || waiting.Count <= most)
            return;
        int[] chosen = [.. Enumerable.Range(0, waiting.Count)];
        new SeedStream(training.Seed).Derive("groups", PolicyVersion).CreateRandom().Shuffle(chosen);
        TrainingText[][] kept = [.. chosen[..most].Order().Select(index => waiting[index])];
        RemoteLog.GroupsLeftOut(options.Logger ?? Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance, waiting.Count - most, most);
        waiting.Clear();
        waiting.AddRange(kept);
    }
}
