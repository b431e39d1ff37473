using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone.Benchmarks;

/// <summary>What a step of an agent costs beside its model and its tools, and what the function-calling client of Microsoft.Extensions.AI costs for the same work.</summary>
internal static class AgentBench
{
    private const int Steps = 10;

    public static async Task RunAsync(Figures figures, bool quick)
    {
        var runs = quick ? 300 : 3_000;
        var add = AIFunctionFactory.Create((int a, int b) => a + b, "add", "Adds two numbers.");
        var question = FieldMap.Of(("question", "What is the sum?"));
        var agent = ReAct.Parse("question -> answer", [add]);

        var native = agent.WithModel(new LM(new StepClient(isNative: true)) { Capabilities = new() { NativeTools = true, ParallelTools = true } });
        var text = agent.WithModel(new LM(new StepClient(isNative: false)));
        await AddAsync("agent_step_native_us", () => native.RunAsync(question));
        await AddAsync("agent_step_text_us", () => text.RunAsync(question));

        using var invoking = new FunctionInvokingChatClient(new StepClient(isNative: true));
        var options = new ChatOptions { Tools = [add] };
        await AddAsync("function_invoking_step_us", () => invoking.GetResponseAsync("What is the sum?", options));

        async Task AddAsync(string name, Func<Task> run)
        {
            var whole = new Figures();
            await CallBench.MeasureAsync(whole, name, runs, run);
            figures.Add(name, whole.Values[name] / Steps, $"microseconds a step, of {Steps}");
        }
    }

    /// <summary>Asks for a tool again and again, and submits in the last step.</summary>
    private sealed class StepClient(bool isNative) : IChatClient
    {
        private static readonly Dictionary<string, object?> Arguments = new() { ["a"] = JsonElement.Parse("1"), ["b"] = JsonElement.Parse("2") };
        private static readonly string CallText = Text("add", FieldMap.Of(("a", 1), ("b", 2)));
        private static readonly string SubmitText = Text("submit", FieldMap.Of(("answer", "3")));

        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
        {
            var asked = messages as IReadOnlyCollection<ChatMessage> ?? [.. messages];
            var isLast = asked.Count(message => message.Role == ChatRole.Assistant) >= Steps - 1;
            return Task.FromResult(new ChatResponse(isNative ? Native(asked.Count, isLast) : new(ChatRole.Assistant, isLast ? SubmitText : CallText)));
        }

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            foreach (var update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
                yield return update;
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => serviceType.IsInstanceOfType(this) ? this : null;

        public void Dispose()
        {
        }

        // The function-calling client takes any text for the end; an agent of Hone's is told to submit.
        private static ChatMessage Native(int id, bool isLast) => isLast
            ? new(ChatRole.Assistant, [new TextContent("3"), new FunctionCallContent($"c{id}", "submit", new Dictionary<string, object?> { ["answer"] = "3" })])
            : new(ChatRole.Assistant, [new FunctionCallContent($"c{id}", "add", Arguments)]);

        private static string Text(string tool, FieldMap arguments) => ChatAdapter.Default.RenderOutputs(
            Signature.Parse("question -> next_thought, tool_calls: ToolCalls"),
            FieldMap.Of(("next_thought", "Add them."), ("tool_calls", ToolValues.Of(new ToolCalls([new(tool, arguments)])))));
    }
}
