using System.CommandLine;
using CustomerService;
using Hone;
using SampleCommon;

var request = new Option<string?>("--request") { Description = "What the customer wants, in place of the built-in requests." };
var limit = new Option<decimal>("--refund-limit") { Description = "Refunds up to this are approved.", DefaultValueFactory = _ => 200 };

var app = new SampleApp("An agent at the service desk of an airline.", ScriptedModel.Create, request, limit);
return await app.RunAsync(args, async run =>
{
    using var scope = HoneScope.Use(run.Model);
    var outcomes = new List<bool>();
    foreach (var text in run.Arguments.GetValue(request) is { } given ? [given] : Airline.Requests)
    {
        var airline = new Airline();
        var result = await ServiceDesk.Agent(airline, run.Arguments.GetValue(limit)).RunAsync(new(text), cancellationToken: run.CancellationToken);
        Console.WriteLine($"> {text}");
        Console.WriteLine(string.Join("\n", Transcript.Lines(result.Steps)));

        // What the agent says it did is one thing, what the log of the airline says is another.
        outcomes.Add(result.HasOutput && result.Output.Resolution == airline.Done);
        Console.WriteLine($"{result.Output?.Resolution}: {result.Output?.Message}{(outcomes[^1] ? "" : $" (but the log says {airline.Done})")}\n");
    }

    Console.WriteLine($"{outcomes.Count(isTrue => isTrue)} of {outcomes.Count} outcomes are what the airline's log says");
});
