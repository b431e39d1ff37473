using System.ComponentModel;
using System.Text.RegularExpressions;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Optimizers;

/// <summary>
/// An agent with two tools on a model that takes the right one, <c>convert</c>, when its description has the word UNITS, or the agent's instructions
/// have USE-CONVERT, and otherwise one that fails. Other roles are answered by a function of the request's fields.
/// </summary>
internal sealed partial class ToolWorld
{
    public static readonly AIFunction Lookup = AIFunctionFactory.Create(
        string ([Description("What to look for.")] string query) => throw new InvalidOperationException($"no page on {query}"), "lookup", "Looks something up.");

    public static readonly AIFunction Convert = AIFunctionFactory.Create(
        ([Description("What to change.")] string text, string unit = "") => unit.Length == 0 ? "ok" : $"ok in {unit}", "convert", "Changes a text.");

    private readonly Lock gate = new();
    private readonly List<FieldMap> asked = [];

    /// <param name="answer">The outputs of a request that is not the agent's, by its fields.</param>
    public ToolWorld(Func<FieldMap, FieldMap> answer)
    {
        Client = ScriptedChatClient.ByAsync(async (request, _, _) =>
        {
            await Task.Yield();
            var options = (HoneChatOptions)request.Options!;
            if (options.Role == "task")
                return Turn(request);
            var fields = Fields(request.LastText);
            lock (gate)
                asked.Add(fields);
            return ScriptedChatClient.Respond(ScriptedChatClient.ChatText(answer(fields)));
        });
        Model = new(Client, "tools") { Retry = null, Capabilities = new() { NativeTools = true, ParallelTools = true } };
    }

    public ScriptedChatClient Client { get; }

    public LM Model { get; }

    /// <summary>What was asked by others than the agent.</summary>
    public IReadOnlyList<FieldMap> Asked
    {
        get
        {
            lock (gate)
                return [.. asked];
        }
    }

    public static Example<FieldMap, FieldMap>[] Examples(int count, string prefix = "t") =>
        [.. Enumerable.Range(1, count).Select(i => new Example<FieldMap, FieldMap>(FieldMap.Of(("question", $"{prefix}{i}")), Lab.Answer("ok")) { Id = $"{prefix}{i}" })];

    public static Module<FieldMap, FieldMap> Agent(AgentPrompt? prompt = null) =>
        ReAct.Parse("question -> answer", [Lookup, Convert], "Answer.", new() { Prompt = prompt ?? AgentPrompt.ReAct, MaxSteps = 3 });

    public static string Text(FieldMap fields, string name) => fields.GetValueOrDefault(name) as string ?? "";

    private static ChatResponse Turn(ScriptedRequest request)
    {
        var given = request.Messages.SelectMany(message => message.Contents).OfType<FunctionResultContent>().LastOrDefault();
        if (given is not null)
            return Call("submit", ("answer", $"{given.Result}"));
        var convert = request.Options!.Tools!.OfType<AIFunctionDeclaration>().First(tool => tool.Name == "convert");
        var question = Text(Fields(request.LastText), "question");
        if (!convert.Description.Contains("UNITS", StringComparison.Ordinal) && !request.SystemText.Contains("USE-CONVERT", StringComparison.Ordinal))
            return Call("lookup", ("query", question));
        var metres = convert.JsonSchema.GetRawText().Contains("METRES", StringComparison.Ordinal);
        return metres ? Call("convert", ("text", question), ("unit", "m")) : Call("convert", ("text", question));
    }

    private static ChatResponse Call(string name, params (string Name, object? Value)[] arguments) => new(new ChatMessage(
        ChatRole.Assistant, [new FunctionCallContent("id", name, arguments.ToDictionary(argument => argument.Name, argument => argument.Value))]))
    {
        FinishReason = ChatFinishReason.ToolCalls,
    };

    private static FieldMap Fields(string text) => FieldMap.Create(
        Field().Matches(text).Select(match => KeyValuePair.Create<string, object?>(match.Groups[1].Value, match.Groups[2].Value.Trim())));

    [GeneratedRegex(@"^\[\[ ## (\w+) ## \]\]\n(.*?)(?=\n\[\[ ## |\n\nRespond|\z)", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Field();
}
