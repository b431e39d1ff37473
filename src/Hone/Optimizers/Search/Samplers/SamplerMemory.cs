using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Optimizers;

/// <summary>What a sampler has seen and has under way. The only thing that changes in a sampler: randomness is derived from the number of suggestions.</summary>
/// <param name="space">The space.</param>
/// <param name="folds">True makes one observation of several of the same point.</param>
internal sealed class SamplerMemory(SearchSpace space, bool folds)
{
    private const int Listable = 1 << 16;

    private readonly List<SearchObservation> observations = [];
    private readonly List<ImmutableArray<int>> pending = [];
    private readonly Dictionary<string, int> tried = new(StringComparer.Ordinal);

    public SearchSpace Space => space;

    /// <summary>In the order in which the points were first observed.</summary>
    public IReadOnlyList<SearchObservation> Observations => observations;

    /// <summary>Suggested and not observed yet.</summary>
    public IReadOnlyList<ImmutableArray<int>> Pending => pending;

    /// <summary>Points suggested so far, repetitions included.</summary>
    public int Suggested { get; private set; }

    /// <summary>Points that were neither suggested nor observed.</summary>
    public long UntriedCount => space.Size - tried.Count;

    public bool IsTried(ImmutableArray<int> point) => tried.ContainsKey(KeyOf(point));

    /// <summary>All untried points; empty when the space is too large to look through.</summary>
    public IReadOnlyList<ImmutableArray<int>> Untried() =>
        space.Size <= Listable && UntriedCount > 0 ? [.. space.Points().Where(point => !IsTried(point))] : [];

    /// <summary>An untried point, each as likely as the others; null when there is none, or none was found in a space too large to look through.</summary>
    public ImmutableArray<int>? DrawUntried(Random random)
    {
        for (var i = 0; i < 32 && UntriedCount > 0; i++)
        {
            var point = space.Draw(random);
            if (!IsTried(point))
                return point;
        }

        return Untried() is { Count: > 0 } left ? left[random.Next(left.Count)] : null;
    }

    public void Suggest(ImmutableArray<int> point)
    {
        Suggested++;
        pending.Add(point);
        tried.TryAdd(KeyOf(point), -1);
    }

    public void Observe(SearchObservation observation)
    {
        ArgumentNullException.ThrowIfNull(observation);
        if (!space.Has(observation.Choices))
            throw new HoneException($"The point [{KeyOf(observation.Choices)}] is not in the space [{string.Join(',', space.Choices)}].");
        var key = KeyOf(observation.Choices);
        var waiting = pending.FindIndex(point => KeyOf(point) == key);
        if (waiting >= 0)
            pending.RemoveAt(waiting);
        var known = tried.GetValueOrDefault(key, -1);
        if (known < 0 || !folds)
        {
            tried[key] = observations.Count;
            observations.Add(observation);
        }
        else
        {
            observations[known] = Fold(observations[known], observation);
        }
    }

    public string Write() => new JsonObject
    {
        ["space"] = Array(space.Choices),
        ["suggested"] = Suggested,
        ["pending"] = new JsonArray([.. pending.Select(Array)]),
        ["observations"] = new JsonArray([.. observations.Select(seen => (JsonNode)new JsonObject
        {
            ["choices"] = Array(seen.Choices), ["mean"] = seen.Mean, ["examples"] = seen.Examples, ["full"] = seen.IsFull,
        })]),
    }.ToJsonString();

    public void Read(string snapshot)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        using var document = Parse(snapshot);
        var json = document.RootElement;
        if (!json.TryGetProperty("space", out var saved) || !Numbers(saved).SequenceEqual(space.Choices))
            throw new HoneException($"The snapshot is not one of the space [{string.Join(',', space.Choices)}].");
        observations.Clear();
        pending.Clear();
        tried.Clear();
        foreach (var seen in json.GetProperty("observations").EnumerateArray())
        {
            Observe(new(Numbers(seen.GetProperty("choices")), seen.GetProperty("mean").GetDouble(), seen.GetProperty("examples").GetInt32())
            {
                IsFull = seen.GetProperty("full").GetBoolean(),
            });
        }

        foreach (var point in json.GetProperty("pending").EnumerateArray())
            Suggest(Numbers(point));
        Suggested = json.GetProperty("suggested").GetInt32();
    }

    // A score on the whole set says all; parts of it are averaged.
    private static SearchObservation Fold(SearchObservation before, SearchObservation now)
    {
        if (now.IsFull || before.IsFull)
            return now.IsFull ? now : before;
        var examples = before.Examples + now.Examples;
        return now with { Mean = ((before.Mean * before.Examples) + (now.Mean * now.Examples)) / examples, Examples = examples };
    }

    private static JsonDocument Parse(string snapshot)
    {
        try
        {
            return JsonDocument.Parse(snapshot);
        }
        catch (JsonException error)
        {
            throw new HoneException($"The snapshot of the sampler cannot be read: {error.Message}", error);
        }
    }

    private static string KeyOf(ImmutableArray<int> point) => string.Join(',', point);

    private static JsonNode Array(ImmutableArray<int> numbers) => new JsonArray([.. numbers.Select(number => (JsonNode)number)]);

    private static ImmutableArray<int> Numbers(JsonElement json) => [.. json.EnumerateArray().Select(number => number.GetInt32())];
}
