using System.CommandLine;
using Hone;
using Hone.Retrieval;
using MultiHopRag;
using SampleCommon;

var question = new Option<string>("--question") { Description = "What is asked.", DefaultValueFactory = _ => "In which year was the town founded where the painter of Harbour at Dawn was born?" };
var hops = SampleApp.Number("--hops", "Most searches.", 4);

var app = new SampleApp("Answers a question over several pages: query, read, note, and again.", ScriptedModel.Create, question, hops);
return await app.RunAsync(args, async run =>
{
    using var index = new LuceneRetriever();
    index.Add(Archive.Pages);
    var program = new Researcher(index, run.Arguments.GetValue(hops)).WithModel(run.Model);
    var found = await program.RunAsync(new(run.Arguments.GetValue(question)!), null, run.CancellationToken);

    Console.WriteLine($"{run.Arguments.GetValue(question)}\n{found.Value.Answer}\n");
    foreach (var note in found.Value.Notes)
        Console.WriteLine($"- {note}");

    Console.WriteLine("\nTrace:");
    foreach (var call in found.Trace.Calls)
        Console.WriteLine($"  {call.Path} {call.Ordinal}: {string.Join(" | ", call.Outputs!.Select(output => $"{output.Key} = {output.Value}"))}");
    foreach (var (path, usage) in found.Trace.UsageBy(call => call.Path))
        Console.WriteLine($"  {path}: {usage.Calls} calls");
});
