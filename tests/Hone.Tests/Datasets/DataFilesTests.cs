using System.Collections.Immutable;
using System.IO.Compression;

namespace Hone.Tests.Datasets;

public sealed class DataFilesTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hone-data").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("a,b\n1,2\n", "1|2")]
    [InlineData("a,b\r\n1,2\r\n3,4", "1|2;3|4")]
    [InlineData("a,b\r1,2\r3,4\r", "1|2;3|4")]
    [InlineData("\uFEFFa,b\n1,2", "1|2")]
    [InlineData("a,b\n\"x, y\",\"say \"\"hi\"\"\"\n", "x, y|say \"hi\"")]
    [InlineData("a,b\n\"two\nlines\",2\n3,4\n", "two\nlines|2;3|4")]
    [InlineData("a,b\n,\n", "|")]
    [InlineData("a,b\n\n1,2\n", "1|2")]
    [InlineData("a,b\n\"\",\"\"\n", "|")]
    [InlineData("a,b\n", "")]
    [InlineData("", "")]
    public async Task ReadCsvAsync_Text_GivesCells(string text, string expected)
    {
        var rows = await DataFiles.ReadCsvAsync(new StringReader(text), "x.csv", cancellationToken: Token).ToListAsync(Token);
        Assert.Equal(expected, string.Join(';', rows.Select(row => $"{row.Fields["a"]}|{row.Fields["b"]}")));
    }

    [Theory]
    [InlineData("a,b\n1,2\n3\n", "x.csv, line 3: the record has 1 cells, and the header 2 columns.")]
    [InlineData("a,b\n\"1\n\",2\n3,4,5\n", "x.csv, line 4: the record has 3 cells, and the header 2 columns.")]
    [InlineData("a,b\n1,\"2\n3,4\n", "x.csv, line 2, column 3: the quote that opens here does not end.")]
    [InlineData("a,b\n\"1\"2,3\n", "x.csv, line 2, column 4: behind a closing quote")]
    [InlineData("a,b,a\n", "x.csv, line 1: the header has the column 'a' twice.")]
    public async Task ReadCsvAsync_Broken_SaysWhere(string text, string expected)
    {
        var error = await Assert.ThrowsAsync<DataFileException>(async () =>
            await DataFiles.ReadCsvAsync(new StringReader(text), "x.csv", cancellationToken: Token).ToListAsync(Token));
        Assert.StartsWith(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadCsvAsync_WithoutHeader_TakesTheGivenColumns()
    {
        var options = new CsvOptions { Delimiter = ';', Columns = ["first", "second"] };
        var row = await DataFiles.ReadCsvAsync(new StringReader("1;2,5"), "x.csv", options, Token).SingleAsync(Token);
        Assert.Equal(FieldMap.Of(("first", "1"), ("second", "2,5")), row.Fields);
    }

    [Fact]
    public async Task ReadCsvAsync_LargeText_IsReadAsItIsAskedFor()
    {
        var reader = new EndlessCsv();
        var rows = await DataFiles.ReadCsvAsync(reader, "endless.csv", cancellationToken: Token).Take(5_000).ToListAsync(Token);
        Assert.Equal("endless.csv, line 5001", rows[^1].Place.ToString());
        Assert.True(reader.Given < 200_000);
    }

    [Fact]
    public async Task ReadJsonLinesAsync_Lines_AreCanonical()
    {
        var text = "{\"a\": 1, \"b\": [1.5, null, {\"c\": \"ü\"}]}\n\n{\"a\": 12345678901234567890}\n";
        var rows = await DataFiles.ReadJsonLinesAsync(new StringReader(text), "x.jsonl", Token).ToListAsync(Token);
        Assert.Equal(1L, rows[0].Fields["a"]);
        Assert.Equal(1.5, ((ImmutableArray<object?>)rows[0].Fields["b"]!)[0]);
        Assert.Equal("x.jsonl, line 3", rows[1].Place.ToString());
    }

    [Theory]
    [InlineData("{\"a\": 1}\n{\"ü\": x}\n", "x.jsonl, line 2, column 7: a line should be a JSON object, and this is not JSON.")]
    [InlineData("{\"a\": 1}\n[1]\n", "x.jsonl, line 2, column 1: a line should be a JSON object, found array.")]
    public async Task ReadJsonLinesAsync_Broken_SaysWhere(string text, string expected)
    {
        var error = await Assert.ThrowsAsync<DataFileException>(async () => await DataFiles.ReadJsonLinesAsync(new StringReader(text), "x.jsonl", Token).ToListAsync(Token));
        Assert.Equal(expected, error.Message);
    }

    [Fact]
    public async Task ReadAsync_EveryEnding_IsRead()
    {
        await WriteAsync("a.jsonl", "{\"x\": \"1\"}\n");
        await WriteAsync("b.csv", "x\n1\n");
        await WriteAsync("c.tsv", "x\ty\n1\t2\n");
        await WriteAsync("d.json", "[{\"x\": \"1\"}]");
        await using (var zip = new GZipStream(File.Create(Path.Combine(folder, "e.jsonl.gz")), CompressionLevel.Fastest))
            await zip.WriteAsync("{\"x\": \"1\"}\n"u8.ToArray(), Token);
        foreach (var name in (string[])["a.jsonl", "b.csv", "c.tsv", "d.json", "e.jsonl.gz"])
            Assert.Equal("1", (await DataFiles.ReadAsync(Path.Combine(folder, name), cancellationToken: Token).SingleAsync(Token)).Text("x"));
        Assert.Contains("Hone.Datasets.Parquet", Assert.Throws<HoneException>(() => DataFiles.ReadAsync("x.parquet", cancellationToken: Token)).Message, StringComparison.Ordinal);
        Assert.Contains("'.xlsx'", Assert.Throws<HoneException>(() => DataFiles.ReadAsync("x.xlsx", cancellationToken: Token)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReadJsonAsync_Broken_SaysWhere()
    {
        await WriteAsync("bad.json", "[{\"x\": 1},\n 2]");
        await WriteAsync("cut.json", "[{\"x\": 1},\n {\"x\": ");
        var path = Path.Combine(folder, "bad.json");
        var error = await Assert.ThrowsAsync<DataFileException>(async () => await DataFiles.ReadJsonAsync(path, Token).ToListAsync(Token));
        Assert.Equal($"{path}, record 2: a record should be an object, found number.", error.Message);
        error = await Assert.ThrowsAsync<DataFileException>(async () => await DataFiles.ReadJsonAsync(Path.Combine(folder, "cut.json"), Token).ToListAsync(Token));
        Assert.Contains("cut.json, line 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WriteJsonLinesAsync_Rows_AreReadBack()
    {
        FieldMap[] rows = [FieldMap.Of(("a", "line\nbreak"), ("b", ClrValues.List([1L, null, 2.5]))), FieldMap.Of(("a", "ü\u2028"))];
        var path = Path.Combine(folder, "out.jsonl");
        await DataFiles.WriteJsonLinesAsync(path, rows, Token);
        Assert.Equal(rows, await DataFiles.ReadAsync(path, cancellationToken: Token).Select(row => row.Fields).ToListAsync(Token));
    }

    private Task WriteAsync(string name, string text) => File.WriteAllTextAsync(Path.Combine(folder, name), text, Token);

    private sealed class EndlessCsv : TextReader
    {
        private int line;

        public int Given { get; private set; }

        public override ValueTask<int> ReadAsync(Memory<char> buffer, CancellationToken cancellationToken = default)
        {
            var text = line++ == 0 ? "a,b\n" : $"{line},\"{line}\"\n";
            text.CopyTo(buffer.Span);
            Given += text.Length;
            return ValueTask.FromResult(text.Length);
        }
    }
}
