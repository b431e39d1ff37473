using System.CommandLine;
using System.ComponentModel;
using Hone;
using Hone.Sandbox;
using LongDocument;
using SampleCommon;

var model = new Option<string?>("--model") { Description = "ADDRESS#NAME of an OpenAI-compatible model that writes the code, e.g. http://localhost:8000/v1#qwen3; without it a script does." };
var reader = new Option<string?>("--reader") { Description = "ADDRESS#NAME of a model that the code asks; without it the one that writes." };
var entries = new Option<int>("--entries") { Description = "How long the report is.", DefaultValueFactory = _ => 20_000 };
var seed = new Option<int>("--seed") { Description = "Which report.", DefaultValueFactory = _ => 1 };

var command = new RootCommand("Asks a question of a report that is far longer than a prompt.") { model, reader, entries, seed };
command.SetAction(async (arguments, cancellationToken) =>
{
    try
    {
        var report = DepotReport.Write(arguments.GetValue(entries), arguments.GetValue(seed));
        var writer = ServerModel.Parse("--model", arguments.GetValue(model)) ?? new LM(ScriptedModel.Create());
        await using var interpreter = new JavaScriptInterpreter();
        var rlm = new Rlm<Question, Worst>(
            "Find the depot with the most parcels damaged by water, whatever the words for it, and how many parcels those are.", interpreter,
            options: new() { SubModel = ServerModel.Parse("--reader", arguments.GetValue(reader)) });
        await foreach (var happened in rlm.WithModel(writer).StreamAsync(new(report.Text), null, cancellationToken))
        {
            if (Shown(happened) is { } line)
                Console.WriteLine(line);
            if (happened is RunCompleted<Worst> { Prediction: var run })
                Console.WriteLine($"In a report of {report.Text.Length} characters, that is {(run.Value == new Worst(report.Depot, report.Parcels) ? "right" : $"wrong: {report.Depot}, {report.Parcels}")}.");
        }

        return 0;
    }
    catch (Exception error) when (error is HoneException or System.ClientModel.ClientResultException)
    {
        Console.Error.WriteLine($"error: {error.Message}");
        return 1;
    }
});
return await command.Parse(args).InvokeAsync();

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
