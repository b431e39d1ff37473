using System.Numerics.Tensors;
using CsCheck;

namespace Hone.Tests.Retrieval;

/// <summary>Searching by way of an outline finds what a full scan finds, to the last bit of the scores.</summary>
public sealed class VectorOutlineTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // Values of many sizes, equal rows, zeros: where bounds are tight, or products vanish.
    private static readonly Gen<float> Number = Gen.Frequency(
        (6, Gen.Double[-1, 1].Select(value => (float)value)),
        (1, Gen.Const(0f)),
        (1, Gen.Select(Gen.Double[-1, 1], Gen.Int[-38, 15]).Select((value, power) => (float)(value * Math.Pow(10, power)))));

    private static readonly Gen<(float[][] Rows, float[] Query, int Wanted)> Tables = Gen.Int[1, 80].SelectMany(dimensions => Gen.Select(
        Gen.Select(Number.Array[dimensions], Gen.Int[1, 3]).Select((row, times) => Enumerable.Repeat(row, times)).Array[1, 40].Select(groups => groups.SelectMany(group => group).ToArray()),
        Number.Array[dimensions],
        Gen.Int[1, 12]));

    [Fact]
    public void Search_AnyRows_FindsWhatAFullScanFinds() => Tables.Sample(
        table =>
        {
            var vectors = TableOf(table.Rows);
            var wanted = Math.Min(table.Wanted, table.Rows.Length);
            Assert.Equal(Scan(table.Rows, table.Query, wanted), VectorOutline.Of(vectors, null, 1).Search(vectors, table.Query, wanted, 1, Token));
        },
        iter: 3000);

    [Fact]
    public void Of_KnownRows_IsTheOutlineOfAll() => Tables.Sample(
        table =>
        {
            var half = TableOf(table.Rows[..(table.Rows.Length / 2)]);
            var known = half.Count == 0 ? null : VectorOutline.Of(half, null, 1);
            var all = TableOf(table.Rows);
            var wanted = Math.Min(table.Wanted, table.Rows.Length);
            Assert.Equal(VectorOutline.Of(all, null, 1).Search(all, table.Query, wanted, 1, Token), VectorOutline.Of(all, known, 1).Search(all, table.Query, wanted, 1, Token));
        },
        iter: 500);

    /// <summary>Through the index, which takes the outline for few results of many rows and the full scan for many.</summary>
    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 7)]
    public async Task Index_ManyRows_FewResultsAreTheFirstOfAll(bool normalize, int parallelism)
    {
        const int count = 40_000;
        using var index = new EmbeddingIndex(new CloudGenerator(64), new() { Normalize = normalize, MaxParallelism = parallelism });
        foreach (var part in Enumerable.Range(0, count).Chunk(15_000))
        {
            await index.AddAsync(part.Select(i => new SearchDocument("", $"{i % 7} {i % 900}", $"d{i}")), Token);
            Assert.NotEmpty(await index.SearchAsync("0 1", 3, Token)); // outlines grow with the index
        }

        foreach (var query in (string[])["0 0", "3 5", "6 899"])
        {
            var all = await index.SearchAsync(query, count, Token);
            Assert.Equal(all.Take(100), await index.SearchAsync(query, 100, Token));
            Assert.Equal(all.Take(1), await index.SearchAsync(query, 1, Token));
        }

        await index.RemoveAsync(Enumerable.Range(0, 5000).Select(i => $"d{i}"), Token);
        Assert.Equal((await index.SearchAsync("3 5", count, Token)).Take(50), await index.SearchAsync("3 5", 50, Token));
    }

    private static VectorTable TableOf(float[][] rows) => rows.Length == 0 ? VectorTable.Empty : VectorTable.Empty.Append(rows.Length, rows[0].Length, (row, target) => rows[row].CopyTo(target));

    private static (float Score, int Row)[] Scan(float[][] rows, float[] query, int wanted)
    {
        var best = new TopScores(wanted);
        for (var row = 0; row < rows.Length; row++)
            best.Offer(TensorPrimitives.Dot<float>(rows[row], query), row);
        return best.TakeSorted();
    }
}
