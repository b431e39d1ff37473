using System.CommandLine;
using ConversationHistory;
using Hone;
using SampleCommon;

var chat = new Option<bool>("--chat") { Description = "You write the messages, a line each; an empty line ends it." };
var turns = SampleApp.Number("--turns", "How many earlier turns a request shows.", 2, least: 0);

var app = new SampleApp("A conversation whose earlier turns are an input.", ScriptedModel.Create, chat, turns);
return await app.RunAsync(args, async run =>
{
    var program = new Predict<Message, Reply>("Talk with the user.").WithModel(run.Model);
    var history = History.Empty;
    PredictorCall? last = null;
    foreach (var text in run.Arguments.GetValue(chat) ? Typed() : Conversation.Lines)
    {
        var shown = History.Of(history.Turns.TakeLast(run.Arguments.GetValue(turns)));
        var answer = await program.RunAsync(new(shown, text), null, run.CancellationToken);
        history = history.Add(FieldMap.Of(("text", text), ("answer", answer.Value.Answer)));
        last = answer.Trace.Calls[^1];
        Console.WriteLine($"> {text}\n{answer.Value.Answer}   ({shown.Turns.Length} of {history.Turns.Length - 1} earlier turns shown)");
    }

    Console.WriteLine("\nThe last request, without its system message:");
    foreach (var message in last?.Messages.Skip(1) ?? [])
        Console.WriteLine($"\n--- {message.Role}\n{message.Text.Trim()}");
});

static IEnumerable<string> Typed()
{
    while (Console.ReadLine() is { Length: > 0 } line)
        yield return line;
}
