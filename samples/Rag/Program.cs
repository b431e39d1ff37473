using System.CommandLine;
using Hone;
using Hone.Retrieval;
using Rag;
using SampleCommon;

var question = new Option<string?>("--question") { Description = "Answers this one instead of scoring the built-in ones." };
var passages = SampleApp.Number("--passages", "How many passages a question gets.", 2);

var app = new SampleApp("Answers questions from a small encyclopedia, with sources.", ScriptedModel.Create, question, passages);
return await app.RunAsync(args, async run =>
{
    using var index = new LuceneRetriever();
    index.Add(Library.Pages);
    var program = new AnswerFromLibrary(index, run.Arguments.GetValue(passages)).WithModel(run.Model);
    if (run.Arguments.GetValue(question) is { } given)
    {
        var one = await program.RunAsync(new(given), null, run.CancellationToken);
        Console.WriteLine($"{one.Trace.Calls[^1].Outputs!["reasoning"]}\n{one.Value.Answer} [{string.Join(", ", one.Value.Sources)}]");
        return;
    }

    // What is not found cannot be answered: look at the search first.
    foreach (var count in new[] { 1, 2, 3 })
    {
        var recall = Library.Questions.Average(example => index.Search(example.Input.Question, count).Any(passage => passage.Title == example.Expected.Sources[0]) ? 1 : 0);
        Console.WriteLine(FormattableString.Invariant($"recall of the page among {count}: {recall:P0}"));
    }

    var result = await Evaluator.Create(Library.Metric, new() { MaxErrors = 0 }).EvaluateAsync(program, Library.Questions, run.CancellationToken);
    foreach (var row in result.Rows)
        Console.WriteLine(FormattableString.Invariant($"\n{row.Example.Input.Question}\n  {row.Value!.Answer} [{string.Join(", ", row.Value.Sources)}]  {row.Score.Value:0.00}"));
    Console.WriteLine($"\n{result}\n{string.Join(", ", result.PartMeans.Select(part => FormattableString.Invariant($"{part.Key} {part.Value:P0}")))}");
});
