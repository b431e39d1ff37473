using System.CommandLine;
using Hone;
using QuestionAnswering;
using SampleCommon;

var question = new Option<string?>("--question") { Description = "Answers this one instead of scoring the built-in ones." };
var context = new Option<FileInfo?>("--context") { Description = "A text file to answer from, a sentence a line; the built-in text by default." };

var app = new SampleApp("Answers questions from a few sentences and scores the answers.", ScriptedModel.Create, question, context);
return await app.RunAsync(args, async run =>
{
    var program = new ChainOfThought<Ask, Reply>("Answer the question from the context.").WithModel(run.Model);
    var text = run.Arguments.GetValue(context) is { } file ? await File.ReadAllLinesAsync(file.FullName, run.CancellationToken) : Questions.Lighthouse;
    var first = await program.RunAsync(new(run.Arguments.GetValue(question) ?? "Who built the lighthouse?", text), null, run.CancellationToken);
    Console.WriteLine($"Reasoning: {first.Trace.Calls[^1].Outputs!["reasoning"]}\nAnswer: {first.Value.Answer}");
    if (run.Arguments.GetValue(question) is not null)
        return;

    var evaluator = Evaluator.Create(Questions.Metric, new() { MaxErrors = 0 });
    var result = await evaluator.EvaluateAsync(program, Questions.All, run.CancellationToken);
    Console.WriteLine();
    result.WriteTable(Console.Out, new() { MaxWidth = 30 });
    foreach (var (part, mean) in result.PartMeans)
        Console.WriteLine(FormattableString.Invariant($"{part}: {mean:P1}"));
});
