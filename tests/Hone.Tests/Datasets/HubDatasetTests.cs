namespace Hone.Tests.Datasets;

public sealed class HubDatasetTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hone-hub").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("train.jsonl,test.jsonl,validation.jsonl", "test:1;train:1;validation:1")]
    [InlineData("data/train-00000-of-00002.jsonl,data/train-00001-of-00002.jsonl,data/dev.csv", "train:2;validation:1")]
    [InlineData("train/a.csv,train/b.csv,test/c.csv", "test:1;train:2")]
    [InlineData("README.md,dataset_info.json,my_set-train.jsonl,my_set-test.jsonl.gz", "test:1;train:1")]
    [InlineData("gsm8k-train-00000-of-00001.parquet,extra_hard-00000-of-00001.parquet", "hard:1;train:1")]
    public void Open_Layout_FindsTheSplits(string files, string expected)
    {
        foreach (var file in files.Split(','))
            Write(file, file.EndsWith(".json", StringComparison.Ordinal) ? "{}" : "");
        var set = HubDataset.Open(folder);
        Assert.Equal(expected, string.Join(';', set.Splits.Select(split => $"{split.Key}:{split.Value.Length}")));
    }

    [Fact]
    public void Open_SeveralConfigurations_AsksForOne()
    {
        Write("main/train-00000-of-00001.jsonl", "{\"x\": 1}\n");
        Write("socratic/train-00000-of-00001.jsonl", "");
        Assert.Contains("main, socratic", Assert.Throws<HoneException>(() => HubDataset.Open(folder)).Message, StringComparison.Ordinal);
        Assert.Equal(["train"], HubDataset.Open(folder, "main").Splits.Keys);
    }

    [Fact]
    public async Task ReadAsync_Shards_AreReadInOrderAndCounted()
    {
        Write("data/train-00001-of-00002.jsonl", "{\"x\": 2}\n");
        Write("data/train-00000-of-00002.jsonl", "{\"x\": 0}\n{\"x\": 1}\n");
        Write("dataset_info.json", """{"splits": {"train": {"num_examples": 3}}}""");
        var set = HubDataset.Open(folder);
        Assert.Equal([0L, 1L, 2L], await set.ReadAsync("train", Token).Select(row => row.Fields["x"]).ToListAsync(Token));
        Assert.Equal((3L, null), (set.CountOf("train"), set.CountOf("test")));
        Write("dataset_info.json", """{"splits": {"train": {"num_examples": 4}}}""");
        var error = await Assert.ThrowsAsync<DataFileException>(async () => await HubDataset.Open(folder).ReadAsync("train", Token).ToListAsync(Token));
        Assert.Contains("ends after 3 rows, and dataset_info.json says 4", error.Message, StringComparison.Ordinal);
        Assert.Contains("It has: train.", (await Assert.ThrowsAsync<HoneException>(async () => await set.ReadAsync("test", Token).ToListAsync(Token))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_FileMissingOrUnknown_SaysWhat()
    {
        Write("data/train-00000-of-00003.jsonl", "");
        Assert.Contains("missing: number 1, 2", Assert.Throws<HoneException>(() => HubDataset.Open(folder)).Message, StringComparison.Ordinal);
        Assert.Throws<HoneException>(() => HubDataset.Open(Path.Combine(folder, "absent")));
        Write("dataset_dict.json", "{}");
        Assert.Contains("save_to_disk", Assert.Throws<HoneException>(() => HubDataset.Open(folder)).Message, StringComparison.Ordinal);
        Directory.Delete(Path.Combine(folder, "data"), recursive: true);
        File.Delete(Path.Combine(folder, "dataset_dict.json"));
        Assert.Contains("no file of a split", Assert.Throws<HoneException>(() => HubDataset.Open(folder)).Message, StringComparison.Ordinal);
    }

    private void Write(string name, string text)
    {
        var path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }
}
