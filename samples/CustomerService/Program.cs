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
    var (asked, kept) = (0, 0);
    foreach (var text in run.Arguments.GetValue(request) is { } given ? [given] : Airline.Requests)
    {
        var airline = new Airline();
        var result = await ServiceDesk.Agent(airline, run.Arguments.GetValue(limit)).RunAsync(new(text), cancellationToken: run.CancellationToken);
        Console.WriteLine($"> {text}");
        foreach (var line in Transcript.Lines(result.Steps))
            Console.WriteLine(line);
        if (!result.HasOutput)
        {
            Console.WriteLine($"No outcome: {result.Reason}\n");
            continue;
        }

        // What the agent says it did is one thing, what the airline's log says is another.
        var isTrue = result.Output.Resolution == airline.Done;
        (asked, kept) = (asked + 1, kept + (isTrue ? 1 : 0));
        Console.WriteLine($"{result.Output.Resolution}: {result.Output.Message}{(isTrue ? "" : $" (but the log says {airline.Done})")}\n");
    }

    Console.WriteLine($"{kept} of {asked} outcomes are what the airline's log says");
});
