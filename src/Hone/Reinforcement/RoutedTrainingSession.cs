using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace Hone.Reinforcement;

/// <summary>One of several sets of weights that are trained together, and the predictors that it answers for.</summary>
/// <param name="Name">Its name, also of its folder in saved states.</param>
/// <param name="Session">Its session.</param>
/// <param name="Predictors">Paths of its predictors.</param>
internal sealed record TrainingRoute(string Name, ITrainingSession Session, IReadOnlySet<string> Predictors);

/// <summary>
/// Several sessions as one: every call goes to the weights of its predictor, every datum to the session of its predictor. Adapters of their own for
/// single predictors, and programs of several models, are trained by the same loop this way.
/// </summary>
internal sealed class RoutedTrainingSession : ITrainingSession
{
    private const string FileName = "routes.json";

    private readonly IReadOnlyList<TrainingRoute> routes;
    private readonly HashSet<TrainingRoute> pending = [];

    public RoutedTrainingSession(IReadOnlyList<TrainingRoute> routes)
    {
        this.routes = routes;
        Policy = new RoutedChatClient(Clients(route => route.Session.Policy), models: null);
        var all = routes.Select(route => route.Session.Capabilities).ToArray();
        if (all.Select(capabilities => capabilities.LearnsFromText).Distinct().Count() > 1)
            throw new HoneException("Some of the program's models learn from tokens and others from text; one run trains one kind. Train them one after the other.");
        Capabilities = new()
        {
            Losses = [.. all.Skip(1).Aggregate(all[0].Losses.AsEnumerable(), (common, next) => common.Intersect(next.Losses))],
            MaxSequenceLength = all.Min(capabilities => capabilities.MaxSequenceLength),
            DefaultAnswerTokens = all.Max(capabilities => capabilities.DefaultAnswerTokens),
            SupportsKl = Array.TrueForAll(all, capabilities => capabilities.SupportsKl),
            IsFullFineTuning = Array.TrueForAll(all, capabilities => capabilities.IsFullFineTuning),
            LearnsFromText = Array.TrueForAll(all, capabilities => capabilities.LearnsFromText),
            LearnsByGroup = all.Any(capabilities => capabilities.LearnsByGroup),
            MemoryBytes = Array.TrueForAll(all, capabilities => capabilities.MemoryBytes is null) ? null : all.Sum(capabilities => capabilities.MemoryBytes),
            LearnsWhileSampling = Array.TrueForAll(all, capabilities => capabilities.LearnsWhileSampling),
            CanScore = Array.TrueForAll(all, capabilities => capabilities.CanScore),
            CanRestore = Array.TrueForAll(all, capabilities => capabilities.CanRestore),
        };
    }

    public TrainingCapabilities Capabilities { get; }

    public int PolicyVersion { get; private set; }

    public IChatClient Policy { get; }

    public async Task<ForwardBackwardResult> ForwardBackwardAsync(
        IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss, CancellationToken cancellationToken = default)
    {
        var logProbs = new float[data.Count][];
        var parts = new List<ForwardBackwardResult>();
        foreach (var (route, indices) in Split(data))
        {
            var part = await route.Session.ForwardBackwardAsync([.. indices.Select(index => data[index])], loss, cancellationToken).ConfigureAwait(false);
            for (var i = 0; i < indices.Length; i++)
                logProbs[indices[i]] = part.LogProbs[i];
            parts.Add(part);
            pending.Add(route);
        }

        return Join(parts, logProbs);
    }

    // A session without data in this batch keeps its weights: its optimizer's moments alone would still move them.
    public async Task<OptimizerStepResult> OptimizerStepAsync(OptimizerStepOptions options, CancellationToken cancellationToken = default)
    {
        var steps = new List<OptimizerStepResult>();
        foreach (var route in routes.Where(pending.Contains))
            steps.Add(await route.Session.OptimizerStepAsync(options, cancellationToken).ConfigureAwait(false));
        return Join(steps);
    }

    public async Task<TrainingUpdate> UpdateAsync(
        IReadOnlyList<TrainingDatum> data, PolicyLossOptions loss, OptimizerStepOptions optimizer, CancellationToken cancellationToken = default)
    {
        // Gradients of an earlier pass are part of this step.
        if (pending.Count > 0)
            return new(await ForwardBackwardAsync(data, loss, cancellationToken).ConfigureAwait(false), await OptimizerStepAsync(optimizer, cancellationToken).ConfigureAwait(false));
        var logProbs = new float[data.Count][];
        var (passes, steps) = (new List<ForwardBackwardResult>(), new List<OptimizerStepResult>());
        foreach (var (route, indices) in Split(data))
        {
            var (pass, step) = await route.Session.UpdateAsync([.. indices.Select(index => data[index])], loss, optimizer, cancellationToken).ConfigureAwait(false);
            for (var i = 0; i < indices.Length; i++)
                logProbs[indices[i]] = pass.LogProbs[i];
            passes.Add(pass);
            steps.Add(step);
        }

        return new(Join(passes, logProbs), Join(steps));
    }

    public ITrainingPass BeginPass(PolicyLossOptions loss) => new Pass(this, loss);

    public async Task<IReadOnlyList<float[]>> ScoreAsync(IReadOnlyList<TrainingDatum> data, double temperature, CancellationToken cancellationToken = default)
    {
        var scores = new float[data.Count][];
        foreach (var (route, indices) in Split(data))
        {
            var part = await route.Session.ScoreAsync([.. indices.Select(index => data[index])], temperature, cancellationToken).ConfigureAwait(false);
            for (var i = 0; i < indices.Length; i++)
                scores[indices[i]] = part[i];
        }

        return scores;
    }

    public async Task SaveStateAsync(string directory, CancellationToken cancellationToken = default)
    {
        Directory.CreateDirectory(directory);
        foreach (var route in routes)
            await route.Session.SaveStateAsync(Path.Combine(directory, route.Name), cancellationToken).ConfigureAwait(false);
        var state = JsonSerializer.Serialize(new RoutedState(PolicyVersion, [.. routes.Select(route => route.Name)]), RoutedJson.Default.RoutedState);
        await File.WriteAllTextAsync(Path.Combine(directory, FileName), state, cancellationToken).ConfigureAwait(false);
    }

    public async Task LoadStateAsync(string directory, CancellationToken cancellationToken = default)
    {
        var path = Path.Combine(directory, FileName);
        if (!File.Exists(path))
            throw new HoneException($"{directory} holds no state of several sessions: {FileName} is missing.");
        var state = JsonSerializer.Deserialize(await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false), RoutedJson.Default.RoutedState)!;
        foreach (var route in routes)
            await route.Session.LoadStateAsync(Path.Combine(directory, route.Name), cancellationToken).ConfigureAwait(false);
        pending.Clear();
        PolicyVersion = state.PolicyVersion;
    }

    public async Task<LM> SnapshotAsync(string name, CancellationToken cancellationToken = default)
    {
        var models = new Dictionary<string, LM>(StringComparer.Ordinal);
        foreach (var route in routes)
            models.Add(route.Name, await route.Session.SnapshotAsync($"{name}-{route.Name}", cancellationToken).ConfigureAwait(false));
        return Snapshot(models, name);
    }

    public async Task<LM> LoadSnapshotAsync(string directory, string name, CancellationToken cancellationToken = default)
    {
        var models = new Dictionary<string, LM>(StringComparer.Ordinal);
        foreach (var route in routes)
            models.Add(
                route.Name,
                await route.Session.LoadSnapshotAsync(Path.Combine(directory, route.Name), $"{name}-{route.Name}", cancellationToken).ConfigureAwait(false));
        return Snapshot(models, name);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var route in routes)
            await route.Session.DisposeAsync().ConfigureAwait(false);
    }

    private LM Snapshot(Dictionary<string, LM> models, string name) => new(new RoutedChatClient(Clients(route => models[route.Name].Client), models), name);

    private Dictionary<string, IChatClient> Clients(Func<TrainingRoute, IChatClient> client) => routes
        .SelectMany(route => route.Predictors.Select(predictor => KeyValuePair.Create(predictor, client(route))))
        .ToDictionary(StringComparer.Ordinal);

    private IEnumerable<(TrainingRoute Route, int[] Indices)> Split(IReadOnlyList<TrainingDatum> data)
    {
        if (data.FirstOrDefault(datum => !routes.Any(route => route.Predictors.Contains(datum.Predictor))) is { } stray)
            throw new HoneException(
                $"No weights learn for predictor '{stray.Predictor}'. There are some for: {string.Join(", ", routes.SelectMany(route => route.Predictors))}.");
        foreach (var route in routes)
        {
            int[] indices = [.. Enumerable.Range(0, data.Count).Where(index => route.Predictors.Contains(data[index].Predictor))];
            if (indices.Length > 0)
                yield return (route, indices);
        }
    }

    private OptimizerStepResult Join(List<OptimizerStepResult> steps)
    {
        pending.Clear();
        PolicyVersion++;
        return new(Math.Sqrt(steps.Sum(step => step.GradientNorm * step.GradientNorm)), steps.Sum(step => step.Seconds))
        {
            SyncSeconds = steps.Sum(step => step.SyncSeconds),
            Staleness = steps.Select(step => step.Staleness).DefaultIfEmpty().Max(),
        };
    }

    private static ForwardBackwardResult Join(List<ForwardBackwardResult> parts, float[][] logProbs)
    {
        var tokens = parts.Sum(part => part.ActiveTokens);
        return new()
        {
            LogProbs = logProbs,
            Loss = parts.Sum(part => part.Loss),
            MeanRatio = tokens == 0 ? 1 : Mean(part => part.MeanRatio),
            ClipFractionLow = Mean(part => part.ClipFractionLow),
            ClipFractionHigh = Mean(part => part.ClipFractionHigh),
            MeanKl = Mean(part => part.MeanKl),
            MeanEntropy = Mean(part => part.MeanEntropy),
            SamplerDifferenceMean = Mean(part => part.SamplerDifferenceMean),
            SamplerDifferenceMax = parts.Select(part => part.SamplerDifferenceMax).DefaultIfEmpty().Max(),
            ActiveTokens = tokens,
            ForwardSeconds = parts.Sum(part => part.ForwardSeconds),
            BackwardSeconds = parts.Sum(part => part.BackwardSeconds),
        };

        double Mean(Func<ForwardBackwardResult, double> value) => tokens == 0 ? 0 : parts.Sum(part => value(part) * part.ActiveTokens) / tokens;
    }

    // A pass of every session that gets data.
    private sealed class Pass(RoutedTrainingSession session, PolicyLossOptions loss) : ITrainingPass
    {
        private readonly Dictionary<TrainingRoute, (ITrainingPass Pass, List<int> Indices)> passes = [];
        private int count;

        public void Add(IReadOnlyList<TrainingDatum> data)
        {
            foreach (var (route, indices) in session.Split(data))
            {
                if (!passes.TryGetValue(route, out var own))
                    passes.Add(route, own = (route.Session.BeginPass(loss), []));
                own.Pass.Add([.. indices.Select(index => data[index])]);
                own.Indices.AddRange(indices.Select(index => count + index));
            }

            count += data.Count;
        }

        public async Task<ForwardBackwardResult> CompleteAsync(CancellationToken cancellationToken = default)
        {
            var logProbs = new float[count][];
            var results = new List<ForwardBackwardResult>();
            foreach (var route in session.routes.Where(passes.ContainsKey))
            {
                var (pass, indices) = passes[route];
                var result = await pass.CompleteAsync(cancellationToken).ConfigureAwait(false);
                for (var i = 0; i < indices.Count; i++)
                    logProbs[indices[i]] = result.LogProbs[i];
                results.Add(result);
                session.pending.Add(route);
            }

            return Join(results, logProbs);
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var (pass, _) in passes.Values)
                await pass.DisposeAsync().ConfigureAwait(false);
        }
    }
}

/// <summary>What the state of several sessions says beside theirs.</summary>
internal sealed record RoutedState(int PolicyVersion, IReadOnlyList<string> Routes);

/// <summary>The JSON of it.</summary>
[JsonSerializable(typeof(RoutedState))]
internal sealed partial class RoutedJson : JsonSerializerContext;
