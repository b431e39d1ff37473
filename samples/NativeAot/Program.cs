using System.Diagnostics;
using System.Globalization;
using Hone;
using Hone.Engine;
using Hone.Testing;
using NativeAot;

// A typed program on a model in this process, compiled ahead of time. With --measure, one line of JSON says what it cost.
var model = EngineLM.Embedded() with { Options = new() { Temperature = 0 } };
var notes = await new NoteTaker().WithModel(model).CallAsync(new(
    "The surgeon Coriden Moilo works for a company based in a city on the river Ebborsta.",
    [
        "Coriden Moilo | Coriden Moilo is a surgeon who works for Fenaska Labs. Coriden Moilo was born in Osanthal Harbor.",
        "Sinobury Labs | Sinobury Labs is a mining company based in Corora Bay. Sinobury Labs was founded by Coriden Moilo.",
    ]));
var (untilAnswer, processor) = (DateTime.Now - Process.GetCurrentProcess().StartTime, Process.GetCurrentProcess().TotalProcessorTime);
Console.WriteLine($"The embedded model noted: {string.Join(" ", notes)}");

// Everything that a typed signature may hold, over a scripted client.
var client = ScriptedChatClient.InSequence(Replies.Plan);
var helpdesk = new Helpdesk().WithModel(client);
var plan = await helpdesk.CallAsync("The server is down!");
Console.WriteLine($"{helpdesk.Predictors[0].Key}: {string.Join(", ", helpdesk.Predictors[0].Value.Fields.Select(field => $"{field.Name}: {field.Type}"))}");
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{plan}: pages {string.Join("+", plan.Pages)}, {plan.Hours.Values.Sum()} hours"));
Console.WriteLine($"{string.Join(" ", plan.Steps)} Told: {string.Join("+", plan.Watchers.Select(name => name ?? "unknown"))}");

if (args.Contains("--prompts"))
    Console.WriteLine($"{client.Requests[0].SystemText}\n{client.Requests[0].LastText}");

// Predictors made by hand: whatever their records reach must be registered, or Hone refuses to guess what trimming has left of it.
try
{
    _ = new Predict<Draft, Review>();
    Console.WriteLine("Not trimmed: nothing needs to be registered.");
}
catch (HoneException error)
{
    Console.WriteLine($"As expected: {error.Message}");
}

TypeSupport.Register<Remark>();
TypeSupport.RegisterList<IReadOnlyList<Remark>, Remark>();
var reviewers = new Reviewers().WithModel(ScriptedChatClient.InSequence(Replies.Verdict, Replies.Remarks, Replies.LegalRemarks));
Console.WriteLine($"{string.Join(", ", reviewers.Predictors.Select(predictor => predictor.Key))}: {await reviewers.CallAsync(new("Well.", ["tone"]))} remarks");

if (args.Contains("--measure"))
{
    var megabytes = Process.GetCurrentProcess().PeakWorkingSet64 / 1e6;
    Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $$"""{"start_to_first_answer_ms": {{untilAnswer.TotalMilliseconds:0}}, "processor_ms": {{processor.TotalMilliseconds:0}}, "peak_rss_mb": {{megabytes:0.0}}}"""));
}
