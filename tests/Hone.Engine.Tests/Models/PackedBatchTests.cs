using CsCheck;

namespace Hone.Engine.Tests.Models;

public sealed class PackedBatchTests
{
    // Few distinct tokens and copied prefixes make long common prefixes likely.
    private static readonly Gen<TrainingSequence[]> Batches = Gen.Select(Gen.Int[1, 9], Gen.Int[0, 100_000]).Select((count, seed) =>
    {
        var random = new Random(seed);
        var sequences = new List<TrainingSequence>();
        for (var i = 0; i < count; i++)
        {
            var kept = sequences.Count > 0 && random.Next(4) > 0 ? sequences[random.Next(sequences.Count)].Tokens : [];
            int[] tokens = [.. kept.Take(random.Next(kept.Length + 1)), .. Enumerable.Range(0, random.Next(1, 50)).Select(_ => random.Next(3))];
            sequences.Add(new TrainingSequence(tokens, random.Next(1, tokens.Length + 1)));
        }

        return sequences.ToArray();
    });

    [Fact]
    public void Plan_AnySequences_PathsSpellThemAndTargetsAreComplete()
    {
        Gen.Select(Batches, Gen.Int[10, 200], Gen.Bool).Sample(
            (sequences, budget, share) =>
            {
                var batches = PackedBatch.Plan(sequences, budget, share);
                Assert.Equal(Enumerable.Range(0, sequences.Length), batches.SelectMany(batch => batch.Sequences).Order());
                foreach (var batch in batches) CheckBatch(batch, sequences);
            },
            iter: 300, threads: 1);
    }

    private static void CheckBatch(PackedBatch batch, TrainingSequence[] sequences)
    {
        Assert.Equal(batch.RowCount, batch.Nodes.Sum(node => node.Length));
        for (var i = 0; i < batch.Nodes.Count; i++)
        {
            var node = batch.Nodes[i];
            Assert.True(node.Parent < i && node.Length > 0);
            Assert.Equal(node.Parent < 0 ? 0 : batch.Nodes[node.Parent].FirstPosition + batch.Nodes[node.Parent].Length, node.FirstPosition);
        }

        foreach (var group in batch.Targets.GroupBy(target => target.Sequence))
        {
            var sequence = sequences[group.Key];
            Assert.Equal(Enumerable.Range(0, sequence.Tokens.Length - sequence.CompletionStart), group.Select(target => target.CompletionIndex));
            foreach (var target in group)
            {
                var position = sequence.CompletionStart + target.CompletionIndex;
                Assert.Equal(sequence.Tokens[position], target.Token);
                Assert.Equal(sequence.Tokens[..position], History(batch, target.Row));
            }
        }
    }

    private static List<int> History(PackedBatch batch, int row)
    {
        var nodes = batch.Nodes;
        var current = Enumerable.Range(0, nodes.Count).Single(i => row >= nodes[i].Start && row < nodes[i].Start + nodes[i].Length);
        var tokens = new List<int>();
        for (var end = row; current >= 0; current = nodes[current].Parent)
        {
            for (var r = end; r >= nodes[current].Start; r--) tokens.Insert(0, batch.Tokens[r]);
            if (nodes[current].Parent >= 0) end = nodes[nodes[current].Parent].Start + nodes[nodes[current].Parent].Length - 1;
        }

        return tokens;
    }

    [Fact]
    public void Plan_CommonPrefix_IsStoredOnce()
    {
        int[] prefix = TinyModels.Tokens(40, 1);
        TrainingSequence[] sequences = [.. Enumerable.Range(0, 8).Select(i => new TrainingSequence([.. prefix, i, .. TinyModels.Tokens(9, i)], 40))];
        var batch = Assert.Single(PackedBatch.Plan(sequences, 1000));
        Assert.Equal(40 + 8 * 9, batch.RowCount);
        Assert.Equal(8 * 49, Assert.Single(PackedBatch.Plan(sequences, 1000, sharePrefixes: false)).RowCount);
    }

    [Fact]
    public void Plan_CompletionAtTheFirstToken_Throws() =>
        Assert.Throws<ArgumentException>(() => PackedBatch.Plan([new TrainingSequence([1, 2], 0)], 10));

    [Fact]
    public void Plan_RowBudget_IsKept()
    {
        TrainingSequence[] sequences = [.. Enumerable.Range(0, 20).Select(i => new TrainingSequence(TinyModels.Tokens(31, i), 10))];
        var batches = PackedBatch.Plan(sequences, 100);
        Assert.Equal(7, batches.Count);
        Assert.All(batches, batch => Assert.True(batch.RowCount <= 100));
    }

    [Fact]
    public void Plan_SequencesThatShareMoreThanTheyAdd_MayOverfill()
    {
        var prefix = Enumerable.Range(0, 90).ToArray();
        TrainingSequence[] sequences = [.. Enumerable.Range(0, 4).Select(i => new TrainingSequence([.. prefix, .. Enumerable.Repeat(100 + i, 11)], 90))];
        Assert.Equal(4, PackedBatch.Plan(sequences, 100).Count);
        var batches = PackedBatch.Plan(sequences, 100, overflow: 25);
        Assert.Equal([100, 120], batches.Select(batch => batch.RowCount).Order());
        Assert.Single(PackedBatch.Plan(sequences, 100, overflow: 60));
    }
}
