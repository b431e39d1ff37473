namespace Hone.Engine.Tests.Models;

public sealed class InferenceModelTests
{
    public static TheoryData<ModelFamily> Families => [ModelFamily.Qwen2, ModelFamily.Qwen3, ModelFamily.Llama];

    [Theory]
    [MemberData(nameof(Families))]
    public void Forward_TokenByToken_BitwiseEqualsWholeSequence(ModelFamily family)
    {
        using var weights = TinyModels.Weights(family);
        foreach (var kernels in VectorKernels.Supported)
        {
            using var model = InferenceModel.Create(weights, null, kernels);
            var tokens = TinyModels.Tokens(150, 3);
            var whole = Vectors.EngineVectors.Logits(model, tokens);
            using var pool = new KeyValuePool(model.Config);
            using var segment = new KeyValueSegment(pool);
            using var scratch = model.CreateScratch(1, tokens.Length);
            for (var position = 0; position < tokens.Length; position++)
            {
                model.Forward(scratch, [new InferenceRow(segment, position, tokens[position], true)]);
                Assert.Equal(whole[position], scratch.Logits(0));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Families))]
    public void Forward_SharedPrefixSegmentsInAMixedBatch_BitwiseEqualsAlone(ModelFamily family)
    {
        using var weights = TinyModels.Weights(family);
        using var model = InferenceModel.Create(weights);
        int[] prefix = TinyModels.Tokens(71, 4), system = prefix[..37];
        int[][] texts = [.. Enumerable.Range(0, 5).Select(i => (int[])[.. prefix, .. TinyModels.Tokens(9 + 3 * i, 10 + i)])];
        int[] other = [.. system, .. TinyModels.Tokens(30, 20)];
        using var pool = new KeyValuePool(model.Config);
        using var scratch = model.CreateScratch(400, 200);
        var root = new KeyValueSegment(pool);
        var rows = new List<InferenceRow>();
        void Add(KeyValueSegment segment, int[] tokens, int from) =>
            rows.AddRange(tokens.Skip(from).Select((token, i) => new InferenceRow(segment, from + i, token, true)));

        // Root (system), middle (rest of the prefix), five leaves and a sibling, prefilled in one step but for the last token of each leaf.
        Add(root, system, 0);
        var middle = new KeyValueSegment(pool, root, system.Length);
        Add(middle, prefix, system.Length);
        var leaves = texts.Select(_ => new KeyValueSegment(pool, middle, prefix.Length)).ToArray();
        for (var i = 0; i < texts.Length; i++) Add(leaves[i], texts[i][..^1], prefix.Length);
        var sibling = new KeyValueSegment(pool, root, system.Length);
        Add(sibling, other, system.Length);
        model.Forward(scratch, [.. rows]);
        var last = Vectors.EngineVectors.Logits(model, other)[^1];
        Assert.Equal(last, scratch.Logits(rows.Count - 1));

        // One decode step of all leaves, among the prefill of a newcomer.
        var newcomer = new KeyValueSegment(pool);
        rows.Clear();
        for (var i = 0; i < texts.Length; i++) rows.Add(new InferenceRow(leaves[i], texts[i].Length - 1, texts[i][^1], true));
        Add(newcomer, other, 0);
        model.Forward(scratch, [.. rows]);
        for (var i = 0; i < texts.Length; i++) Assert.Equal(Vectors.EngineVectors.Logits(model, texts[i])[^1], scratch.Logits(i));
        Assert.Equal(last, scratch.Logits(rows.Count - 1));
    }

    [Fact]
    public void Forward_ManySiblingsInOneStep_BitwiseEqualsAlone()
    {
        using var weights = TinyModels.Weights(ModelFamily.Llama);
        using var model = InferenceModel.Create(weights);
        int[] prefix = TinyModels.Tokens(140, 4);
        using var pool = new KeyValuePool(model.Config);
        using var scratch = model.CreateScratch(200, 200);
        KeyValueSegment root = new(pool), other = new(pool);
        model.Forward(scratch, [.. prefix.Select((token, position) => new InferenceRow(root, position, token, false))]);
        model.Forward(scratch, [.. prefix.Skip(70).Select((token, position) => new InferenceRow(other, position, token, false))]);

        // 29 siblings of two parents and one segment with none, in mixed order, growing token by token.
        KeyValueSegment[] segments = [.. Enumerable.Range(0, 30).Select(i => i == 11 ? new(pool) : new KeyValueSegment(pool, i % 3 == 0 ? other : root))];
        int[][] texts = [.. Enumerable.Range(0, 30).Select(i => TinyModels.Tokens(5, 100 + i))];
        for (var step = 0; step < 5; step++)
        {
            model.Forward(scratch, [.. segments.Select((segment, i) => new InferenceRow(segment, segment.End, texts[i][step], true))]);
            Assert.True(((HostScratch)scratch).FetchesAhead); // Their pasts are larger than a core's cache.
            for (var i = 0; i < segments.Length; i += 5)
            {
                int[] before = i % 3 == 0 ? prefix[70..] : prefix;
                Assert.Equal(Vectors.EngineVectors.Logits(model, [.. before, .. texts[i][..(step + 1)]])[^1], scratch.Logits(i));
            }

            Assert.Equal(Vectors.EngineVectors.Logits(model, texts[11][..(step + 1)])[^1], scratch.Logits(11));
        }
    }

    [Fact]
    public void Forward_ChildInsideItsParent_SeesOnlyThePositionsBeforeItsStart()
    {
        using var weights = TinyModels.Weights(ModelFamily.Qwen2);
        using var model = InferenceModel.Create(weights);
        var (first, second) = (TinyModels.Tokens(40, 5), TinyModels.Tokens(12, 6));
        using var pool = new KeyValuePool(model.Config);
        using var scratch = model.CreateScratch(64, 64);
        using var parent = new KeyValueSegment(pool);
        model.Forward(scratch, [.. first.Select((token, position) => new InferenceRow(parent, position, token, false))]);
        using var child = new KeyValueSegment(pool, parent, 25);
        model.Forward(scratch, [.. second.Select((token, i) => new InferenceRow(child, 25 + i, token, true))]);
        Assert.Equal(Vectors.EngineVectors.Logits(model, [.. first[..25], .. second])[^1], scratch.Logits(second.Length - 1));
    }

    [Fact]
    public void Forward_DecodeInSteadyState_DoesNotAllocate()
    {
        using var weights = TinyModels.Weights(ModelFamily.Qwen3);
        using var model = InferenceModel.Create(weights);
        using var pool = new KeyValuePool(model.Config);
        using var scratch = model.CreateScratch(8, 400);
        var segments = Enumerable.Range(0, 8).Select(_ => new KeyValueSegment(pool)).ToArray();
        var rows = new InferenceRow[8];
        void Step(int position)
        {
            for (var i = 0; i < rows.Length; i++) rows[i] = new InferenceRow(segments[i], position, (position + i) % 53, true);
            model.Forward(scratch, rows);
        }

        for (var position = 0; position < 200; position++) Step(position);
        foreach (var segment in segments)
        {
            segment.Dispose();
        }

        for (var position = 0; position < 130; position++) Step(position);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var position = 130; position < 190; position++) Step(position);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Forward_PositionThatDoesNotFollow_Throws()
    {
        using var weights = TinyModels.Weights(ModelFamily.Qwen2);
        using var model = InferenceModel.Create(weights);
        using var pool = new KeyValuePool(model.Config);
        using var scratch = model.CreateScratch(4, 16);
        using var segment = new KeyValueSegment(pool);
        Assert.Throws<ArgumentException>(() => model.Forward(scratch, [new InferenceRow(segment, 3, 1, true)]));
        Assert.Throws<ArgumentException>(
            () => model.Forward(scratch, [new InferenceRow(segment, 0, 1, true), new InferenceRow(segment, 2, 1, true)]));
        Assert.Throws<ArgumentOutOfRangeException>(() => model.Forward(scratch, [new InferenceRow(segment, 0, 53, true)]));
    }

    [Fact]
    public void Repack_ChangedWeights_GivesTheirLogits()
    {
        using var first = TinyModels.Weights(ModelFamily.Llama, 1);
        using var second = TinyModels.Weights(ModelFamily.Llama, 2);
        using var model = InferenceModel.Create(first);
        using var other = InferenceModel.Create(second);
        var tokens = TinyModels.Tokens(12, 8);
        model.Repack(second);
        Assert.Equal(Vectors.EngineVectors.Logits(other, tokens)[^1], Vectors.EngineVectors.Logits(model, tokens)[^1]);
    }

    [Fact]
    public void KeyValuePool_MoreBlocksThanAllowed_SaysSo()
    {
        using var pool = new KeyValuePool(TinyModels.Config(ModelFamily.Qwen2), maxBlocks: 2);
        var segment = new KeyValueSegment(pool);
        segment.Reserve(2 * KeyValuePool.BlockPositions);
        var error = Assert.Throws<InvalidOperationException>(() => segment.Reserve(2 * KeyValuePool.BlockPositions + 1));
        Assert.Contains("2 blocks", error.Message, StringComparison.Ordinal);
        segment.Dispose();
        Assert.Equal(0, pool.BlocksInUse);
    }
}
