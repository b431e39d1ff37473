namespace Hone.Engine.Tests.Models;

/// <summary>Generation through the kernels' interface beside generation on the processor.</summary>
public sealed class DeviceInferenceTests
{
    public static TheoryData<ModelFamily> Families => InferenceModelTests.Families;

    [Theory]
    [MemberData(nameof(Families))]
    public void Forward_TreeOfSegments_EqualsTheProcessors(ModelFamily family) => Compare(family, CpuKernels.Best, 1e-4f);

    [Fact]
    public void Repack_AdapterOfATrainedModel_IsMerged()
    {
        using var weights = TinyModels.Weights(ModelFamily.Qwen2);
        using var adapter = TrainingModelTests.Adapter(weights.Config);
        using var training = new TrainingModel(weights, adapter, 1, CpuKernels.Best);
        using var expected = InferenceModel.Create(weights, adapter);
        using var copies = new EngineWeights(weights);
        using DeviceInferenceModel taken = new(copies.First, CpuKernels.Best), repacked = new(copies.Second, CpuKernels.Best);
        var before = weights.Values.ToArray();
        taken.Repack(training);
        repacked.Repack(weights, adapter);
        var tokens = TinyModels.Tokens(20, 3);
        AssertClose(Logits(expected, tokens), Logits(taken, tokens), 1e-4f);
        AssertClose(Logits(expected, tokens), Logits(repacked, tokens), 1e-4f);
        Assert.Equal(before, weights.Values);
    }

    /// <summary>A prefix, two branches, one of them with two leaves; in two steps of prefill and decode rows mixed.</summary>
    internal static void Compare(ModelFamily family, IKernels kernels, float tolerance)
    {
        using var weights = TinyModels.Weights(family);
        using var host = InferenceModel.Create(weights);
        using var device = new DeviceInferenceModel(weights, kernels);
        AssertClose(Logits(host, TinyModels.Tokens(150, 3)), Logits(device, TinyModels.Tokens(150, 3)), tolerance);
        AssertClose(Tree(host), Tree(device), tolerance);
    }

    private static List<float[]> Tree(InferenceModel model)
    {
        using var pool = model.CreatePool();
        using var scratch = model.CreateScratch(400, 200);
        var root = new KeyValueSegment(pool);
        var (left, right) = (new KeyValueSegment(pool, root, 70), new KeyValueSegment(pool, root, 33));
        var leaf = new KeyValueSegment(pool, left, 75);
        List<InferenceRow> rows = [];
        void Add(KeyValueSegment segment, int from, int to, int seed) => rows.AddRange(
            TinyModels.Tokens(to - from, seed).Select((token, i) => new InferenceRow(segment, from + i, token, i % 3 == 0 || from + i == to - 1)));
        Add(root, 0, 70, 1);
        Add(left, 70, 80, 2);
        Add(right, 33, 130, 3);
        var logits = Step();
        Add(leaf, 75, 76, 4);
        Add(right, 130, 131, 5);
        Add(left, 80, 90, 6);
        logits.AddRange(Step());
        foreach (var segment in (KeyValueSegment[])[leaf, left, right, root]) segment.Dispose();
        return logits;

        List<float[]> Step()
        {
            model.Forward(scratch, [.. rows]);
            var found = Enumerable.Range(0, rows.Count).Where(row => rows[row].WantLogits).Select(row => scratch.Logits(row).ToArray()).ToList();
            rows.Clear();
            return found;
        }
    }

    private static List<float[]> Logits(InferenceModel model, int[] tokens)
    {
        using var pool = model.CreatePool();
        using var segment = new KeyValueSegment(pool);
        using var scratch = model.CreateScratch(tokens.Length, tokens.Length);
        model.Forward(scratch, [.. tokens.Select((token, position) => new InferenceRow(segment, position, token, true))]);
        return [.. tokens.Select((_, row) => scratch.Logits(row).ToArray())];
    }

    private static void AssertClose(List<float[]> expected, List<float[]> actual, float tolerance)
    {
        Assert.Equal(expected.Count, actual.Count);
        foreach (var (left, right) in expected.Zip(actual)) Assert.All(left.Zip(right), pair => Assert.Equal(pair.First, pair.Second, tolerance));
    }

    // Where the kernels are the host's, a model works on the given memory itself: two copies, one for each.
    private sealed class EngineWeights(ParameterSet weights) : IDisposable
    {
        public ParameterSet First { get; } = weights.Clone();

        public ParameterSet Second { get; } = weights.Clone();

        public void Dispose()
        {
            First.Dispose();
            Second.Dispose();
        }
    }
}
