using System.CommandLine;
using EmailExtraction;
using Hone;
using SampleCommon;

var file = new Option<FileInfo?>("--file") { Description = "A text file with the body of an e-mail; reads it instead of the built-in ones." };
var from = new Option<string>("--from") { Description = "Who sent it.", DefaultValueFactory = _ => "Unknown <unknown@example.com>" };
var sent = new Option<DateOnly>("--sent") { Description = "When it was sent, e.g. 2026-03-02.", DefaultValueFactory = _ => new(2026, 3, 2) };

var app = new SampleApp("Turns e-mails into records with dates, amounts and things to do.", ScriptedModel.Create, file, from, sent);
return await app.RunAsync(args, async run =>
{
    var program = new Predict<Email, Facts>("Extract what an office needs to know of the e-mail.").WithModel(run.Model);
    if (run.Arguments.GetValue(file) is { } given)
    {
        var body = await File.ReadAllTextAsync(given.FullName, run.CancellationToken);
        Show(await program.CallAsync(new(run.Arguments.GetValue(from)!, "", run.Arguments.GetValue(sent), body), run.CancellationToken));
        return;
    }

    var result = await Evaluator.Create(Inbox.Metric, new() { MaxErrors = 0 }).EvaluateAsync(program, Inbox.All, run.CancellationToken);
    foreach (var row in result.Rows)
    {
        Console.WriteLine(FormattableString.Invariant($"{row.Name}: {row.Score.Value:0.00}"));
        foreach (var failure in row.Trace.Calls.Select(call => call.Failure).OfType<AdapterParseException>())
            Console.WriteLine($"  refused and asked again: {failure.Reason}");
        Show(row.Value!);
    }

    Console.WriteLine($"{result}\n{string.Join(", ", result.PartMeans.Select(part => FormattableString.Invariant($"{part.Key} {part.Value:P0}")))}");
});

static void Show(Facts facts)
{
    Console.WriteLine($"  {facts.Intent} of {facts.Sender}, priority {facts.Priority}");
    Console.WriteLine(FormattableString.Invariant($"  dates: {string.Join(", ", facts.Dates.Select(date => $"{date:yyyy-MM-dd}"))}; amounts: {string.Join(", ", facts.Amounts.Select(money => $"{money.Amount} {money.Currency}"))}"));
    foreach (var item in facts.ActionItems)
        Console.WriteLine($"  - {item}");
    Console.WriteLine();
}
