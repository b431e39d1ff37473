using System.Text.Json;

namespace Hone.Tests.Evaluation.Reports;

public sealed class EvaluationExportTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hone-exports").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void WriteTable_Rows_AreAlignedCutAndCounted()
    {
        using var writer = new StringWriter { NewLine = "\n" };
        Result().WriteTable(writer, new() { MaxRows = 2, MaxWords = 3, MetricName = "exact" });
        Assert.Equal(
            """
            id     question          example_answer  pred_answer  exact  exact.half  error
            -----  ----------------  --------------  -----------  -----  ----------  --------------------------
            first  one two three...  yes                          0.000              FormatException: no number
                   comma, "quoted"   yes             yes          1.000  0.500
            ... 1 more rows

            0.667 [0.000, 1.000] over 3 examples, 1 failures

            """,
            writer.ToString());
    }

    [Fact]
    public async Task SaveCsvAsync_FirstRowFailed_HasTheColumnsOfAllRows()
    {
        var path = Path.Combine(folder, "deep", "rows.csv");
        await Result().SaveCsvAsync(path, "exact", Token);
        Assert.Equal(
            "id,question,example_answer,pred_answer,exact,exact.half,feedback,error\r\n"
            + "first,one two three four,yes,,0,,,FormatException: no number\r\n"
            + ",\"comma, \"\"quoted\"\"\",yes,yes,1,0.5,fine,\r\n"
            + ",\"line\nbreak\",yes,yes,1,,,\r\n",
            await File.ReadAllTextAsync(path, Token));
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(path)!));
    }

    [Fact]
    public async Task SaveJsonAsync_Result_HasTheSummaryAndTheRows()
    {
        var path = Path.Combine(folder, "rows.json");
        await Result().SaveJsonAsync(path, cancellationToken: Token);
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(path, Token));
        Assert.Equal(2 / 3.0, json.RootElement.GetProperty("mean").GetDouble(), 1e-12);
        Assert.Equal(1, json.RootElement.GetProperty("failures").GetInt32());
        Assert.Equal(0.5, json.RootElement.GetProperty("parts").GetProperty("half").GetDouble());
        Assert.Equal("yes", json.RootElement.GetProperty("rows")[1].GetProperty("pred_answer").GetString());
    }

    [Fact]
    public async Task SaveMarkdownAsync_Result_HasSummaryPartsAndRows()
    {
        var path = Path.Combine(folder, "rows.md");
        await Result(third: "a | b\n![x](http://y) <b>").SaveMarkdownAsync(path, "Museums & more", new() { MetricName = "exact", MaxWords = 3, ShowFeedback = true }, Token);
        Assert.Equal(
            """
            # Museums \& more

            0.667 \[0.000, 1.000\] over 3 examples, 1 failures

            | exact | 95 % interval | examples | failures | unreadable answers | calls | tokens | cost | seconds |
            | --- | --- | --- | --- | --- | --- | --- | --- | --- |
            | 0.667 | 0.000 – 1.000 | 3 | 1 | 0 | 0 | 0 | – | 0.00 |

            | part of the score | mean |
            | --- | --- |
            | half | 0.500 |

            | id | question | example\_answer | pred\_answer | exact | exact.half | feedback | error |
            | --- | --- | --- | --- | --- | --- | --- | --- |
            | first | one two three... | yes |  | 0.000 |  |  | FormatException: no number |
            |  | comma, "quoted" | yes | yes | 1.000 | 0.500 | fine |  |
            |  | a \| b... | yes | yes | 1.000 |  |  |  |

            """,
            await File.ReadAllTextAsync(path, Token));
    }

    [Fact]
    public async Task SaveMarkdownAsync_Comparison_HasLossesBeforeGains()
    {
        var path = Path.Combine(folder, "comparison.md");
        var before = Result();
        var after = new EvaluationResult<FieldMap, FieldMap>(
            [before.Rows[0] with { Score = 1, Error = null, Value = FieldMap.Of(("answer", "yes")) }, before.Rows[1], before.Rows[2] with { Score = 0.25 }], default);
        var comparison = new ProgramComparison<FieldMap, FieldMap>(before, after, Bootstrap.Compare(before.Scores, after.Scores));
        await comparison.SaveMarkdownAsync(path, options: new() { MaxRows = 1 }, cancellationToken: Token);
        var text = await File.ReadAllTextAsync(path, Token);
        Assert.Contains("| 0.667 | 0.750 | +0.083 |", text, StringComparison.Ordinal);
        Assert.EndsWith(
            """
            | example | input | baseline | candidate | change |
            | --- | --- | --- | --- | --- |
            | \#2 | line break | yes | yes | -0.750 |

            1 more rows are left out.

            """,
            text,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Save_CostAndTime_AreThereInSumAndByRow()
    {
        var result = Result();
        result = new(
            [
                .. result.Rows.Select((row, index) => row with { Usage = new(1, 10, 5) { Cost = 0.002m * (index + 1) }, Duration = TimeSpan.FromSeconds(index + 0.5) }),
            ],
            default);
        await result.SaveJsonAsync(Path.Combine(folder, "cost.json"), cancellationToken: Token);
        await result.SaveHtmlAsync(Path.Combine(folder, "cost.html"), cancellationToken: Token);
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "cost.json"), Token));
        Assert.Equal((0.012m, 4.5), (json.RootElement.GetProperty("cost").GetDecimal(), json.RootElement.GetProperty("seconds").GetDouble()));
        var run = json.RootElement.GetProperty("rows")[1].GetProperty("run");
        Assert.Equal((1, 15, 0.004m, 1.5), (
            run.GetProperty("calls").GetInt32(), run.GetProperty("tokens").GetInt32(), run.GetProperty("cost").GetDecimal(), run.GetProperty("seconds").GetDouble()));
        var page = await File.ReadAllTextAsync(Path.Combine(folder, "cost.html"), Token);
        Assert.Contains("$0.012", page, StringComparison.Ordinal);
        Assert.Contains("4.50 s", page, StringComparison.Ordinal);
        Assert.Contains("1.50 s · $0.004", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Save_ValuesThatNoFormatKnows_AreWrittenAllTheSame()
    {
        var row = new EvaluationRow<Odd, Odd>(0, new(new(double.NaN, new()), null!), null, double.NegativeInfinity, Trace.Empty, new FormatException("x"));
        var result = new EvaluationResult<Odd, Odd>([row], Bootstrap.OfMean([double.NegativeInfinity]));
        await result.SaveJsonAsync(Path.Combine(folder, "odd.json"), cancellationToken: Token);
        await result.SaveCsvAsync(Path.Combine(folder, "odd.csv"), cancellationToken: Token);
        await result.SaveHtmlAsync(Path.Combine(folder, "odd.html"), cancellationToken: Token);
        await result.SaveMarkdownAsync(Path.Combine(folder, "odd.md"), cancellationToken: Token);
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "odd.json"), Token));
        Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty("mean").ValueKind);
        Assert.All(json.RootElement.GetProperty("interval").EnumerateArray(), end => Assert.Equal(JsonValueKind.Null, end.ValueKind));
        await new EvaluationResult<Odd, Odd>([], default).SaveJsonAsync(Path.Combine(folder, "odd.json"), cancellationToken: Token);
    }

    [Fact]
    public async Task SaveHtmlAsync_Values_AreTextAndNothingIsLoaded()
    {
        var path = Path.Combine(folder, "page.html");
        await Result("<script>alert(1)</script>").SaveHtmlAsync(path, "A & B", Token);
        var page = await File.ReadAllTextAsync(path, Token);
        Assert.Contains("<title>A &amp; B</title>", page, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;alert(1)", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.DoesNotContain("http", page, StringComparison.Ordinal);
        Assert.Contains("FormatException: no number", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SaveHtmlAsync_Comparison_ShowsWhatChanged()
    {
        var path = Path.Combine(folder, "page.html");
        var (before, after) = (Result(), Result());
        after = after with { Rows = after.Rows.SetItem(0, after.Rows[1] with { Index = 0, Example = after.Rows[0].Example }) };
        after = new(after.Rows, default);
        await new ProgramComparison<FieldMap, FieldMap>(before, after, Bootstrap.Compare(before.Scores, after.Scores)).SaveHtmlAsync(path, cancellationToken: Token);
        var page = await File.ReadAllTextAsync(path, Token);
        Assert.Contains("Better with the candidate: 1", page, StringComparison.Ordinal);
        Assert.Contains("first: 0.000 → 1.000", page, StringComparison.Ordinal);
        Assert.Contains("Worse with the candidate: 0", page, StringComparison.Ordinal);
    }

    private static EvaluationResult<FieldMap, FieldMap> Result(string third = "line\nbreak")
    {
        var yes = FieldMap.Of(("answer", "yes"));
        var scored = new Score(1) { Parts = new Score(0).Parts.Add("half", 0.5), Feedback = "fine" };
        return new(
            [
                new(0, new(Question("one two three four"), yes) { Id = "first" }, null, 0, Trace.Empty, new FormatException("no number")),
                new(1, new(Question("comma, \"quoted\""), yes), yes, scored, Trace.Empty, null),
                new(2, new(Question(third), yes), yes, 1, Trace.Empty, null),
            ],
            new(0, 1));
    }

    private static FieldMap Question(string text) => FieldMap.Of(("question", text));

    private sealed record Odd(double Number, Dictionary<int, object> Items);
}
