using System.CommandLine;
using System.ComponentModel;
using Hone;
using Hone.Sandbox;
using LongDocument;
using SampleCommon;

var reader = new Option<string?>("--reader") { Description = "ADDRESS#NAME of a model that the code asks; without it the one that writes." };
var entries = SampleApp.Number("--entries", "How long the report is.", 20_000, least: 1_000);
var seed = new Option<int>("--seed") { Description = "Which report.", DefaultValueFactory = _ => 1 };

var app = new SampleApp("Asks a question of a report that is far longer than a prompt.", ScriptedModel.Create, reader, entries, seed);
return await app.RunAsync(args, async run =>
{
    var report = DepotReport.Write(run.Arguments.GetValue(entries), run.Arguments.GetValue(seed));
    await using var interpreter = new JavaScriptInterpreter();
    var rlm = new Rlm<Question, Worst>(
        "Find the depot with the most parcels damaged by water, whatever the words for it, and how many parcels those are.", interpreter,
        options: new() { SubModel = ServerModel.Parse("--reader", run.Arguments.GetValue(reader)) });
    await foreach (var happened in rlm.WithModel(run.Model).StreamAsync(new(report.Text), null, run.CancellationToken))
    {
        if (Shown(happened) is { } line)
            Console.WriteLine(line);
        if (happened is RunCompleted<Worst> { Prediction: var answer })
            Console.WriteLine($"In a report of {report.Text.Length} characters, that is {(answer.Value == new Worst(report.Depot, report.Parcels) ? "right" : $"wrong: {report.Depot}, {report.Parcels}")}.");
    }
});

static string? Shown(RunEvent happened) => happened switch
{
    CallCompleted { Record: { Path: "generate_action", Outputs: { } step } } => $"\n{step["reasoning"]}\n    {$"{step["code"]}".ReplaceLineEndings("\n    ")}",
    CallCompleted { Record: { Path: "llm_query", Outputs: { } answered } } => $"  asked: {answered["answer"]}",
    RunCompleted<Worst> { Prediction: var run } => FormattableString.Invariant(
        $"\n{run.Value.Depot}: {run.Value.Parcels} parcels ({run.Usage.Calls} requests, the longest of {run.Trace.Calls.Max(call => call.Messages.Sum(message => message.Text.Length))} characters)."),
    _ => null,
};

internal sealed record Question([property: Description("An entry a line")] string Report);
internal sealed record Worst(string Depot, int Parcels);
