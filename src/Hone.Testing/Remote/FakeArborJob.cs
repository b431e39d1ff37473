using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Testing;

/// <summary>Settings of a fake Arbor trainer.</summary>
internal sealed record FakeArborTrainer(int GroupSize, double LearningRate, bool ScalesRewards, int MaxSteps)
{
    public static FakeArborTrainer Read(JsonElement config)
    {
        var size = (int)Number(config, "num_generations", 8);
        var total = Number(config, "per_device_train_batch_size", 8) * Number(config, "num_training_gpus", 1) * Number(config, "gradient_accumulation_steps", 1);
        if (size < 2)
            throw FakeArborServer.Error(400, "ValueError", "num_generations must be at least 2");
        if (total % size != 0)
            throw FakeArborServer.Error(400, "ValueError", $"The global train batch size ({total}) must be divisible by num_generations ({size})");
        return new(
            size, Number(config, "learning_rate", 1e-6), config.TryGetProperty("scale_rewards", out var scale) && scale.ValueKind == JsonValueKind.True,
            (int)Number(config, "max_steps", null));
    }

    // Texts that say a number count as one.
    private static double Number(JsonElement config, string name, double? otherwise) => config.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
        ? double.Parse(value.ToString(), CultureInfo.InvariantCulture)
        : otherwise ?? throw FakeArborServer.Error(400, "ValueError", $"{name} is required");
}

/// <summary>
/// A job of the fake Arbor server: at first groups 0 and 1 are wanted; when all wanted ones have arrived, the weights are handed to the sampler and
/// the next one is wanted.
/// </summary>
internal sealed class FakeArborJob(string id, ImmutableArray<ToyChoice> choices, ToyModel weights, FakeArborTrainer trainer)
{
    private readonly Queue<(int Row, int Completion, double Reward)[]> arrived = [];
    private readonly List<(int Id, int Answers)> stale = [];
    private readonly SortedSet<int> pending = trainer.MaxSteps > 1 ? [0, 1] : [0];
    private int received;
    private int steps;

    public string Id => id;

    public ToyModel Weights { get; } = weights;

    /// <summary>What the sampler has.</summary>
    public double[][] Served { get; private set; } = weights.Logits;

    public bool IsCancelled { get; set; }

    public bool HasTrainer { get; set; } = true;

    public Dictionary<string, string> Checkpoints { get; } = new(StringComparer.Ordinal);

    public string Status(FakeArborServer server)
    {
        int[] shown = [.. (IEnumerable<int>)[.. pending, .. stale.Select(entry => entry.Id)]];
        for (var i = stale.Count - 1; i >= 0; i--)
        {
            stale[i] = (stale[i].Id, stale[i].Answers - 1);
            if (stale[i].Answers <= 0)
                stale.RemoveAt(i);
        }

        var checkpoints = new JsonObject();
        foreach (var (name, directory) in Checkpoints)
            checkpoints[name] = new JsonObject { ["checkpoint_name"] = name, ["checkpoint_dir"] = directory, ["global_step"] = Weights.Version, ["requested"] = true, ["metadata"] = null, ["timestamp"] = 1767323045.5 };
        return new JsonObject
        {
            ["job_id"] = Id,
            ["status"] = IsCancelled ? "cancelled" : "running", // also without a trainer
            ["current_model"] = Id,
            ["checkpoints"] = checkpoints,
            ["last_checkpoint"] = Checkpoints.Count == 0 ? null : Checkpoints.Keys.Last(),
            ["pending_batch_ids"] = HasTrainer && !server.IsTrainerDead ? new JsonArray([.. shown.Distinct().Order().Select(number => (JsonNode)number)]) : [],
        }.ToJsonString();
    }

    /// <summary>Takes one group. The number that it is sent with is ignored, as by Arbor.</summary>
    public string Take(JsonElement body, FakeArborServer server)
    {
        var group = body.GetProperty("batch").EnumerateArray().Select(Member).ToArray();
        if (group.Length == 0)
            throw FakeArborServer.Error(500, "IndexError", "list index out of range");
        if (group.Length != trainer.GroupSize)
            throw FakeArborServer.Error(400, "ValueError", $"Expected {trainer.GroupSize} samples in the group, received {group.Length}");
        arrived.Enqueue(group);
        var number = received++;
        pending.Remove(number);
        if (server.StaleAnswers > 0)
            stale.Add((number, server.StaleAnswers));
        if (HasTrainer && !server.IsTrainerDead)
            Train();
        return Status(server);
    }

    private (int Row, int Completion, double Reward) Member(JsonElement item)
    {
        if (item.ValueKind != JsonValueKind.Object)
            throw FakeArborServer.Error(400, "ValueError", "Each item in batch must be a dictionary");
        foreach (var name in (ReadOnlySpan<string>)["messages", "completion", "reward"])
        {
            if (!item.TryGetProperty(name, out _))
                throw FakeArborServer.Error(400, "ValueError", "Each item must contain keys: {'messages', 'completion', 'reward'}");
        }

        var row = ToyPolicy.ChoiceOf(choices, string.Join('\n', item.GetProperty("messages").EnumerateArray().Select(message => message.GetProperty("content").GetString())));
        return (row, choices[row].Completions.IndexOf(item.GetProperty("completion").GetProperty("content").GetString()!), item.GetProperty("reward").GetDouble());
    }

    // The trainer waits at the head of each step until nothing is wanted any more; then it hands its weights over, wants the next group and learns.
    private void Train()
    {
        while (arrived.Count > 0 && (steps == 0 || pending.Count == 0))
        {
            if (steps > 0)
            {
                Served = Weights.Logits;
                if (steps + 1 < trainer.MaxSteps)
                    pending.Add(steps + 1);
            }

            Learn(arrived.Dequeue());
            steps++;
        }
    }

    private void Learn((int Row, int Completion, double Reward)[] group)
    {
        var mean = group.Average(member => member.Reward);
        var deviation = Math.Sqrt(group.Sum(member => Math.Pow(member.Reward - mean, 2)) / (group.Length - 1));
        foreach (var (row, completion, reward) in group)
            Weights.AddSlope(row, completion, -(reward - mean) / (trainer.ScalesRewards ? deviation + 1e-4 : 1) / group.Length);
        Weights.Step(trainer.LearningRate);
    }
}
