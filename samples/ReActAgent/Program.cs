using System.CommandLine;
using Hone;
using ReActAgent;
using SampleCommon;

var request = new Option<string>("--request") { Description = "What the traveller wants.", DefaultValueFactory = _ => "From Berlin to Prague, as cheap as possible." };
var budget = new Option<double>("--budget") { Description = "Most euros that may be spent.", DefaultValueFactory = _ => 50 };
var yes = new Option<bool>("--yes") { Description = "Book without asking." };

var app = new SampleApp("An agent that arranges a train journey with three tools.", ScriptedModel.Create, request, budget, yes);
return await app.RunAsync(args, async run =>
{
    var program = TravelDesk.Agent((call, _) => ValueTask.FromResult(run.Arguments.GetValue(yes) || Asks(call))).WithModel(run.Model);
    var wish = new Wish(run.Arguments.GetValue(request)!, run.Arguments.GetValue(budget));
    await foreach (var happened in program.StreamAsync(wish, null, run.CancellationToken))
    {
        if (Shown(happened) is { } line)
            Console.WriteLine(line);
    }
});

static bool Asks(ToolCall call)
{
    Console.Write($"May I call {call.Name}({string.Join(", ", call.Arguments.Values)})? [y/n] ");
    return Console.ReadLine() is ['y' or 'Y', ..];
}

static string? Shown(RunEvent happened) => happened switch
{
    CallCompleted { Record.Outputs: { } outputs } when outputs["next_thought"] is string thought => $"\nThought: {thought}",
    ToolCallRequested { Request: var call } => $"  {call.Name}({string.Join(", ", call.Arguments!.Values)})",
    ToolCallCompleted { Result: var result } => $"  {(result.IsError ? "error: " : "= ")}{Text(result.Value)}",
    RunCompleted<Trip> { Prediction: var run } => $"\n{run.Value.Train}, {run.Value.Price} euros. {run.Value.Message} ({run.Usage.Calls} requests)",
    _ => null,
};

static string Text(object? value) => value switch
{
    FieldMap fields => string.Join(" ", fields.Values),
    IEnumerable<object?> items => string.Join("; ", items.Select(Text)),
    _ => $"{value}",
};
