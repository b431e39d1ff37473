using System.CommandLine;
using Hone;
using ReActAgent;
using SampleCommon;

var url = new Option<string?>("--url") { Description = "An OpenAI-compatible server, e.g. http://localhost:8000/v1; without it a script answers. Keys are read from OPENAI_API_KEY." };
var model = new Option<string>("--model") { Description = "Name of the server's model.", DefaultValueFactory = _ => "default" };
var request = new Option<string>("--request") { Description = "What the traveller wants.", DefaultValueFactory = _ => "From Berlin to Prague, as cheap as possible." };
var budget = new Option<double>("--budget") { Description = "Most euros that may be spent.", DefaultValueFactory = _ => 50 };
var yes = new Option<bool>("--yes") { Description = "Book without asking." };

var command = new RootCommand("An agent that arranges a train journey with three tools.") { url, model, request, budget, yes };
command.SetAction(async (arguments, cancellationToken) =>
{
    try
    {
        var lm = ServerModel.ParseAddress("--url", arguments.GetValue(url)) is { } address
            ? ServerModel.Open(address, arguments.GetValue(model)!)
            : new LM(ScriptedModel.Create());
        var program = TravelDesk.Agent((call, _) => ValueTask.FromResult(arguments.GetValue(yes) || Asks(call))).WithModel(lm);
        await foreach (var happened in program.StreamAsync(new(arguments.GetValue(request)!, arguments.GetValue(budget)), null, cancellationToken))
        {
            if (Shown(happened) is { } line)
                Console.WriteLine(line);
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
