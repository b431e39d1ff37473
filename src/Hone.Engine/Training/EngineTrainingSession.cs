using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Hone.Reinforcement;
using Microsoft.Extensions.AI;

namespace Hone.Engine;

/// <summary>Trains a copy of a model's weights, or an adapter on them, in this process; samples from the same weights without copying them out.</summary>
internal sealed class EngineTrainingSession : ITrainingSession
{
    private const int SmallLaneCount = 4;
    private const string SessionFile = "session.json";
    private const string TrainedFile = "trained.safetensors";
    private const string MomentsFile = "moments.safetensors";

    /// <summary>Where saved weights keep the adapter that is part of them.</summary>
    internal const string AdapterFolder = "adapter";

    private readonly EngineModel start;
    private readonly EngineModel policyModel;
    private readonly EngineOptions options;
    private readonly EngineChatClient policy;
    private readonly LoraAdapter? adapter;
    private readonly TrainingModel training;
    private readonly TrainingModel? reference;
    private readonly AdamW optimizer;
    private readonly long? memory;

    // Whether the adapter is trained beside weights that stay in the checkpoint's files, shared with start and all snapshots.
    private readonly bool isFrozen;

    // A gradient that was summed up in parts has yet to be multiplied by this; null when there is none.
    private double? gradientScale;
    private bool hasOpenPass;
    private bool hasGradient;

    public EngineTrainingSession(EngineModel start, EngineOptions options, TrainingOptions training)
    {
        (this.start, this.options) = (start, options);
        var kernels = options.Device.Kernels;
        var settings = training.Lora is { } lora ? new LoraOptions { Rank = lora.Rank, Alpha = lora.Alpha, TargetModules = lora.Targets } : null;
        isFrozen = settings is not null && kernels.IsHost && start.Frozen is not null && (start.Lora is null || Continues(start.Lora.Options, settings));
        adapter = settings is null ? null
            : isFrozen && start.Lora is { } trained ? trained.Clone()
            : LoraAdapter.CreateRandom(start.Config, settings, (int)(training.Seed & int.MaxValue));
        if (isFrozen)
        {
            policyModel = start.WithAdapter(adapter!);
            this.training = new(start.Frozen!, adapter, LaneCountOf(start.Config));
        }
        else
        {
            policyModel = start.WithWeights(start.CopyWeights());
            this.training = new(policyModel.Weights, adapter, LaneCountOf(policyModel.Weights), kernels);
        }

        reference = !training.KeepReference ? null
            : kernels.IsHost && start.Frozen is not null ? new(start.Frozen, start.Lora, this.training.Lanes.Count, scoresOnly: true)
            : new(start.Weights, null, LaneCountOf(start.Weights), kernels, scoresOnly: true);
        optimizer = new(this.training, new());
        memory = kernels.IsHost ? SessionMemory.BytesOf(start, this.training, adapter, reference, isFrozen, options) : null;
        var tokenizer = new EnginePolicyTokenizer(start.Tokenizer, start.Template, options.Template);
        policy = new(policyModel, options with { PolicyVersion = 0 }) { Services = type => type.IsInstanceOfType(tokenizer) ? tokenizer : null };
    }

    public TrainingCapabilities Capabilities => new()
    {
        Losses = Enum.GetValues<PolicyLossType>(),
        MaxSequenceLength = Math.Min(options.MaxContext ?? int.MaxValue, start.Config.MaxPositions),
        SupportsKl = reference is not null,
        LearnsWhileSampling = training.Kernels.IsHost,
        IsFullFineTuning = adapter is null,
        MemoryBytes = memory,
    };

    public int PolicyVersion { get; private set; }

    private int Rows => training.MicrobatchRows;

    public IChatClient Policy => policy;

    public Task<ForwardBackwardResult> ForwardBackwardAsync(
        IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss, CancellationToken cancellationToken = default)
    {
        Check(data);
        ThrowIfInParts();
        hasGradient = true;
        return Task.Run(
            () => new PolicyPass(training, data, loss, Rows, ReferenceScores(data, loss, cancellationToken)).Run(options.Workers, cancellationToken),
            cancellationToken);
    }

    public ITrainingPass BeginPass(PolicyLossOptions loss)
    {
        ThrowIfInParts();
        if (hasGradient)
            throw new InvalidOperationException("A pass in parts begins where no gradient is left of an earlier pass: take the optimizer step first.");
        var pass = new GradualPolicyPass(training, loss, options.Workers, new(
            Check,
            (data, token) => ReferenceScores(data, loss, token),
            scale => (hasOpenPass, gradientScale) = (false, scale),
            () =>
            {
                training.ZeroGradients();
                hasOpenPass = false;
            }));
        hasOpenPass = true;
        return pass;
    }

    public async Task<OptimizerStepResult> OptimizerStepAsync(OptimizerStepOptions options, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (hasOpenPass)
            throw new InvalidOperationException("The optimizer step needs the whole gradient: complete the pass that is under way, or dispose of it.");
        var started = Stopwatch.GetTimestamp();
        var norm = await Task.Run(() => Apply(options), CancellationToken.None).ConfigureAwait(false);
        await RefreshPolicyAsync(PolicyVersion + 1).ConfigureAwait(false);
        return new(norm, Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    public Task<IReadOnlyList<float[]>> ScoreAsync(IReadOnlyList<TrainingDatum> data, double temperature, CancellationToken cancellationToken = default)
    {
        Check(data);
        return Task.Run(() => PolicyPass.Score(training, data, temperature, Rows, options.Workers, cancellationToken), cancellationToken);
    }

    public async Task SaveStateAsync(string directory, CancellationToken cancellationToken = default)
    {
        if (Directory.Exists(directory))
            throw new HoneException($"Training state is written to a new directory, but {directory} exists.");
        Directory.CreateDirectory(directory);
        training.TrainedValues.Pull();
        optimizer.PullMoments();
        Write(Path.Combine(directory, TrainedFile), string.Empty, () => training.Trained.Values);
        var moments = SourcesOf("m.", () => optimizer.FirstMoments).Concat(SourcesOf("v.", () => optimizer.SecondMoments));
        SafetensorsWriter.Write(Path.Combine(directory, MomentsFile), [.. moments], WeightFormat.Float32);
        var session = JsonSerializer.Serialize(new SessionState(PolicyVersion, optimizer.Step), SessionJson.Default.SessionState);
        await File.WriteAllTextAsync(Path.Combine(directory, SessionFile), session, cancellationToken).ConfigureAwait(false);
    }

    public async Task LoadStateAsync(string directory, CancellationToken cancellationToken = default)
    {
        if (hasOpenPass)
            throw new InvalidOperationException("A state cannot be loaded beneath a pass that is under way: complete the pass, or dispose of it.");
        var path = Path.Combine(directory, SessionFile);
        if (!File.Exists(path))
            throw new HoneException($"{directory} holds no training state: {SessionFile} is missing.");
        var session = JsonSerializer.Deserialize(await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false), SessionJson.Default.SessionState)!;
        using (var trained = SafetensorsFile.Open(Path.Combine(directory, TrainedFile)))
            Read(trained, string.Empty, training.Trained.Values);
        using (var moments = SafetensorsFile.Open(Path.Combine(directory, MomentsFile)))
        {
            Read(moments, "m.", optimizer.FirstMoments);
            Read(moments, "v.", optimizer.SecondMoments);
        }

        optimizer.PushMoments();

        optimizer.Step = session.OptimizerStep;
        training.ZeroGradients();
        (gradientScale, hasGradient) = (null, false);
        training.Repack();
        await RefreshPolicyAsync(session.PolicyVersion).ConfigureAwait(false);
    }

    public Task<LM> SnapshotAsync(string name, CancellationToken cancellationToken = default)
    {
        training.TrainedValues.Pull();
        if (isFrozen)
            return Task.FromResult(EngineLM.Owning(start.WithAdapter(adapter!.Clone(), name), options with { PolicyVersion = PolicyVersion }));
        var weights = policyModel.Weights.Clone();
        adapter?.MergeInto(weights);
        return Task.FromResult(EngineLM.Owning(start.WithWeights(weights, name, AdapterOfBase()), options with { PolicyVersion = PolicyVersion }));
    }

    public Task<LM> LoadSnapshotAsync(string directory, string name, CancellationToken cancellationToken = default)
    {
        var folder = Path.Combine(directory, AdapterFolder);
        var saved = Directory.Exists(folder) ? PeftAdapter.Load(folder, start.Config) : null;
        return Task.FromResult(EngineLM.Owning(
            isFrozen && saved is not null ? start.WithAdapter(saved, name) : start.WithWeights(Checkpoint.Load(directory).Weights, name, saved), options));
    }

    public ValueTask DisposeAsync()
    {
        policy.Dispose();
        policyModel.Dispose();
        training.Dispose();
        reference?.Dispose();
        optimizer.Dispose();
        adapter?.Dispose();
        return ValueTask.CompletedTask;
    }

    // Gradient sums per lane do not depend on the number of threads, so the lane count must not depend on the machine. A large model gets one: a lane costs a
    // gradient buffer as large as the weights.
    private static int LaneCountOf(ParameterSet weights) => weights.Values.Length > 50_000_000 ? 1 : SmallLaneCount;

    // Of an adapter the gradient is small, but every lane that works holds activations, of a large model up to one and a half gibibytes.
    private static int LaneCountOf(ModelConfig config) => TrainingWorkspace.BytesPerRow(config, ActivationMemory.Everything) > 1 << 20 ? 2 : SmallLaneCount;

    // An adapter that was trained before goes on; one of another shape is added to the weights, and a new one begins.
    private static bool Continues(LoraOptions trained, LoraOptions asked) =>
        (trained.Rank, trained.Scale) == (asked.Rank, asked.Scale) && trained.TargetModules.Order().SequenceEqual(asked.TargetModules.Order());

    // A copy of what was trained, to be added to the base: where training started from a base with an adapter, that one is part of it.
    private LoraAdapter? AdapterOfBase() => adapter is null ? null
        : (start.Lora ?? start.Merged) is { } earlier ? LoraAdapter.Sum(earlier, adapter) : adapter.Clone();

    private IReadOnlyList<float[]>? ReferenceScores(IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss, CancellationToken cancellationToken) => loss.Beta > 0
        ? PolicyPass.Score(
            reference ?? throw new HoneException("Loss.Beta is above 0 but the session was started without KeepReference."),
            data, loss.Temperature, reference.MicrobatchRows, options.Workers, cancellationToken)
        : null;

    private void ThrowIfInParts()
    {
        if (hasOpenPass || gradientScale is not null)
            throw new InvalidOperationException("A pass in parts is the whole gradient of its step: take the optimizer step before another pass.");
    }

    private double Apply(OptimizerStepOptions step)
    {
        optimizer.Options = new()
        {
            Beta1 = step.Beta1,
            Beta2 = step.Beta2,
            Epsilon = step.Epsilon,
            WeightDecay = step.WeightDecay,
            MaxGradientNorm = step.MaxGradientNorm,
        };
        var norm = optimizer.Update(training.GradientSum(), step.LearningRate, gradientScale ?? 1);
        training.ZeroGradients();
        (gradientScale, hasGradient) = (null, false);
        training.TakeUpdate();
        return norm;
    }

    private async Task RefreshPolicyAsync(int version)
    {
        await policy.Scheduler.UpdateModelAsync(
            model =>
            {
                model.Repack(training);
                return model;
            },
            version,
            CancellationToken.None).ConfigureAwait(false);
        PolicyVersion = version;
    }

    private void Check(IReadOnlyList<TrainingDatum> data)
    {
        for (var i = 0; i < data.Count; i++)
        {
            var length = data[i].PromptIds.Count + data[i].CompletionIds.Count;
            if (data[i].PromptIds.Count == 0 || data[i].CompletionIds.Count == 0)
                throw new HoneException($"Training datum {i} of predictor '{data[i].Predictor}' has an empty prompt or completion: there is nothing to predict from or to learn.");
            if (length > start.Config.MaxPositions)
                throw new HoneException($"Training datum {i} of predictor '{data[i].Predictor}' has {length} tokens; model '{start.Name}' holds {start.Config.MaxPositions}.");
            if ((StrayOf(data[i].PromptIds) ?? StrayOf(data[i].CompletionIds)) is { } stray)
                throw new HoneException(
                    $"Training datum {i} of predictor '{data[i].Predictor}' holds the token {stray}; model '{start.Name}' has {start.Config.VocabularySize}. Was it sampled by a model of another vocabulary?");
        }
    }

    // A token that the embedding has no row for.
    private int? StrayOf(IReadOnlyList<int> ids)
    {
        for (var i = 0; i < ids.Count; i++)
        {
            if ((uint)ids[i] >= (uint)start.Config.VocabularySize)
                return ids[i];
        }

        return null;
    }

    private void Write(string path, string prefix, TensorValues values) => SafetensorsWriter.Write(path, [.. SourcesOf(prefix, values)], WeightFormat.Float32);

    private IEnumerable<SafetensorsSource> SourcesOf(string prefix, TensorValues values) => training.Trained.Tensors.Select(tensor =>
        new SafetensorsSource(prefix + tensor.Name, tensor.Shape, () => values().Slice(tensor.Offset, tensor.Length)));

    private void Read(SafetensorsFile file, string prefix, Span<float> target)
    {
        foreach (var tensor in training.Trained.Tensors)
            file.Read(prefix + tensor.Name, target.Slice(tensor.Offset, tensor.Length));
    }
}

/// <summary>What a session's directory says beside its tensors.</summary>
internal sealed record SessionState(int PolicyVersion, int OptimizerStep);

/// <summary>The JSON of it.</summary>
[JsonSerializable(typeof(SessionState))]
internal sealed partial class SessionJson : JsonSerializerContext;
