using System.CommandLine;
using Hone;
using MemoryAgent;
using SampleCommon;

var memory = new Option<FileInfo?>("--memory") { Description = "The JSON file to keep; by default one that is deleted at the end." };
var chat = new Option<bool>("--chat") { Description = "You write the messages, a line each; an empty line ends it." };

IEnumerable<string>[] conversations =
[
    ["My sister lives in Porto.", "My sister likes sea birds.", "I am allergic to nuts."],
    ["Where does my sister live?", "What does my sister like?", "Forget about the nuts!", "What am I allergic to?"],
];

var app = new SampleApp("An agent that remembers from one conversation to the next.", ScriptedModel.Create, memory, chat);
return await app.RunAsync(args, async run =>
{
    using var scope = HoneScope.Use(run.Model);
    var path = run.Arguments.GetValue(memory)?.FullName ?? Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
    try
    {
        foreach (var conversation in run.Arguments.GetValue(chat) ? [Typed()] : conversations)
        {
            // A new conversation knows nothing of the last one but what is in the file.
            var store = await MemoryStore.OpenAsync(path, run.CancellationToken);
            var agent = new ReAct<Message, Reply>("Talk with the user. Remember what may matter later, and recall before you say that you do not know.", store.Tools());
            var history = History.Empty;
            Console.WriteLine($"--- a conversation; {store.Count} things are known");
            foreach (var text in conversation)
            {
                var result = await agent.RunAsync(new(text), history, maxSteps: 5, run.CancellationToken);
                history = result.History;
                Console.WriteLine($"> {text}\n{string.Join('\n', Transcript.Lines(result.Steps))}\n{result.Output?.Answer ?? $"(no answer: {result.Reason})"}");
            }
        }
    }
    finally
    {
        if (run.Arguments.GetValue(memory) is null)
            File.Delete(path);
    }
});

static IEnumerable<string> Typed()
{
    while (Console.ReadLine() is { Length: > 0 } line)
        yield return line;
}
