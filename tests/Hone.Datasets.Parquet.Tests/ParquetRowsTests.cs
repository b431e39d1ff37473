using System.Collections.Immutable;
using Parquet.Serialization;

namespace Hone.Datasets.Parquet.Tests;

public sealed class ParquetRowsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hone-parquet").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task ReadAsync_NestedColumnsInSeveralGroups_KeepsValuesAndOrder()
    {
        var path = await WriteAsync("rows.parquet", 25, rowGroup: 10);
        var rows = await DataFiles.ReadAsync(path, [ParquetRows.Reader], Token).ToListAsync(Token);
        Assert.Equal(Enumerable.Range(0, 25).Select(i => $"question {i}"), rows.Select(row => row.Text("question")));
        Assert.Equal($"{path}, record 12", rows[11].Place.ToString());
        Assert.Equal((11L, 0.5, true), (rows[11].Fields["label"], rows[11].Fields["weight"], rows[11].Fields["is_odd"]));
        Assert.Null(rows[3].Fields["note"]);
        Assert.Equal("n4", rows[4].Fields["note"]);
        Assert.Equal(["a", "b4"], (ImmutableArray<object?>)rows[4].Fields["tags"]!);
        var facts = Assert.IsType<FieldMap>(rows[4].Fields["facts"]);
        Assert.Equal(["Title 4"], (ImmutableArray<object?>)facts["title"]!);
    }

    [Fact]
    public async Task HubDataset_ShardsWithClassLabels_AreJoinedAndNamed()
    {
        var data = Directory.CreateDirectory(Path.Combine(folder, "data")).FullName;
        await WriteAsync(Path.Combine(data, "train-00000-of-00002.parquet"), 2, 10);
        await WriteAsync(Path.Combine(data, "train-00001-of-00002.parquet"), 1, 10);
        await File.WriteAllTextAsync(
            Path.Combine(folder, "dataset_info.json"),
            """{"features": {"label": {"names": ["lost", "found"], "_type": "ClassLabel"}}, "splits": {"train": {"name": "train", "num_examples": 3}}}""",
            Token);
        var rows = await HubDataset.Open(folder, null, ParquetRows.Reader).ReadAsync("train", Token).ToListAsync(Token);
        Assert.Equal(["lost", "found", "lost"], rows.Select(row => row.Text("label")));
    }

    [Fact]
    public async Task ReadAsync_NoParquet_NamesTheFile()
    {
        var path = Path.Combine(folder, "broken.parquet");
        await File.WriteAllTextAsync(path, "PAR1 and nothing else that would be right", Token);
        var error = await Assert.ThrowsAsync<DataFileException>(async () => await ParquetRows.Reader.ReadAsync(path, Token).ToListAsync(Token));
        Assert.StartsWith($"{path}, record 1: this is no Parquet file", error.Message, StringComparison.Ordinal);
    }

    private async Task<string> WriteAsync(string name, int count, int rowGroup)
    {
        var path = Path.Combine(folder, name);
        var rows = Enumerable.Range(0, count).Select(i => new Row
        {
            question = $"question {i}",
            label = i,
            weight = 0.5f,
            is_odd = i % 2 == 1,
            note = i == 3 ? null : $"n{i}",
            tags = ["a", $"b{i}"],
            facts = new() { title = [$"Title {i}"] },
        }).ToList();
        await using var stream = File.Create(path);
        await ParquetSerializer.SerializeAsync(rows, stream, new() { RowGroupSize = rowGroup }, cancellationToken: Token);
        return path;
    }

    // Named as the columns.
    public sealed class Row
    {
        public string question { get; set; } = "";

        public int label { get; set; }

        public float weight { get; set; }

        public bool is_odd { get; set; }

        public string? note { get; set; }

        public List<string> tags { get; set; } = [];

        public Facts facts { get; set; } = new();
    }

    public sealed class Facts
    {
        public List<string> title { get; set; } = [];
    }
}
