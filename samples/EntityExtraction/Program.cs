using System.CommandLine;
using EntityExtraction;
using Hone;
using SampleCommon;

var sentence = new Option<string?>("--sentence") { Description = "Extracts from this one instead of scoring the built-in ones." };

var app = new SampleApp("Extracts a deal with companies and people from a sentence.", ScriptedModel.Create, sentence);
return await app.RunAsync(args, async run =>
{
    var program = new Predict<News, Deal>("Extract the deal that the sentence tells of.").WithModel(run.Model);
    if (run.Arguments.GetValue(sentence) is { } given)
    {
        Show((await program.RunAsync(new(given), null, run.CancellationToken)).Value);
        return;
    }

    var result = await Evaluator.Create(Newsroom.Metric, new() { MaxErrors = 0 }).EvaluateAsync(program, Newsroom.All, run.CancellationToken);
    foreach (var row in result.Rows)
    {
        Console.WriteLine(row.Example.Input.Sentence);
        Show(row.Value!);
        foreach (var call in row.Trace.Calls.Where(call => call.Failure is not null || call.IsRepaired))
            Console.WriteLine(call.Failure is { } failure ? $"  asked again: {failure.Reason}" : "  mended: a marker was not quite one");
        Console.WriteLine();
    }

    foreach (var (field, mean) in result.PartMeans)
        Console.WriteLine(FormattableString.Invariant($"{field,-10} {mean:P0}"));
    var calls = result.Rows.SelectMany(row => row.Trace.Calls).ToArray();
    Console.WriteLine($"{calls.Length} requests for {result.Rows.Length} sentences, {result.Rows.Sum(row => row.Trace.RecoveryCount)} of them to ask again; {calls.Count(call => call.IsRepaired)} answer mended");
});

static void Show(Deal deal)
{
    Console.WriteLine(FormattableString.Invariant($"  {deal.Kind}: {Of(deal.Buyer)} - {Of(deal.Target)}, {deal.Millions} million"));
    foreach (var person in deal.People)
        Console.WriteLine($"  {person.Role}: {person.Name}");
}

static string Of(Company company) => company.City is { } city ? $"{company.Name} ({city})" : company.Name;
