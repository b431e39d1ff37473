using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Generators.Tests.Modules;

public sealed record Arrival(string Town, int Hour);

/// <summary>A module with two agent methods: one with tools from its constructor, one with static ones and options.</summary>
public sealed partial class Travel(IReadOnlyList<AIFunction> clocks) : Module<string, string>
{
    private static readonly ReActOptions Patient = new() { MaxSteps = 3 };

    private static AIFunction[] Maps() => [AIFunctionFactory.Create((string town) => $"{town} is south", "map")];

    [ReAct("Say when the train arrives.", Tools = nameof(clocks))]
    private partial Task<Arrival> ArriveAsync(string journey, CancellationToken cancellationToken = default);

    [ReAct(Tools = nameof(Maps), Options = nameof(Patient))]
    private partial ValueTask<string> FindDirection(string town, CancellationToken cancellationToken);

    [Predict("Put both into a sentence.")]
    private partial Task<string> TellAsync(string direction, int hour, CancellationToken cancellationToken);

    protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken)
    {
        var arrival = await ArriveAsync(input, cancellationToken);
        return await TellAsync(await FindDirection(arrival.Town, cancellationToken), arrival.Hour, cancellationToken);
    }
}

public class AgentMethodTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static AIFunction Clock => AIFunctionFactory.Create((string train) => train == "Owl" ? 7 : throw new ArgumentException("no such train"), "clock");

    [Fact]
    public async Task Methods_CallTools_AndReturnWhatIsSubmitted()
    {
        var client = ScriptedChatClient.ByPath(
            ("arrive.react", [Turn("clock", FieldMap.Of(("train", "Owl"))), Turn("submit", FieldMap.Of(("town", "Rome"), ("hour", 7)))]),
            ("find_direction.react", [Turn("map", FieldMap.Of(("town", "Rome"))), Turn("submit", FieldMap.Of(("direction", "south")))]),
            ("tell", [ScriptedChatClient.ChatText(FieldMap.Of(("answer", "South at 7.")))]));
        var program = new Travel([Clock]).WithModel(client);
        var run = await program.RunAsync("by Owl", null, Token);

        Assert.Equal("South at 7.", run.Value);
        Assert.Equal(["arrive.react", "find_direction.react", "tell"], program.Predictors.Select(predictor => predictor.Key));
        Assert.Equal(["arrive.clock", "find_direction.map"], program.Tools.Select(tool => tool.Key));
        Assert.Contains("Say when the train arrives.", client.Requests[0].SystemText);
        Assert.Contains(client.Requests[1].Messages, message => message.Text.Contains(": 7", StringComparison.Ordinal));
        Assert.Equal(["arrive.react", "arrive.react", "find_direction.react", "find_direction.react", "tell"], run.Trace.Calls.Select(call => call.Path));
    }

    [Fact]
    public async Task Options_AreThoseThatAreNamed()
    {
        var turns = Enumerable.Repeat(Turn("map", FieldMap.Of(("town", "Rome"))), 3).Append(Turn("map", FieldMap.Of(("town", "Rome")))).ToArray();
        var client = ScriptedChatClient.ByPath(("arrive.react", [Turn("submit", FieldMap.Of(("town", "Rome"), ("hour", 7)))]), ("find_direction.react", turns));
        var error = await Assert.ThrowsAsync<AgentException>(() => new Travel([Clock]).WithModel(client).CallAsync("by Owl", Token));

        Assert.Equal(AgentStopReason.MaxSteps, error.Reason);
        Assert.Equal(4, error.Steps.Length);
    }

    [Fact]
    public async Task OneModule_UsedByManyAtOnce_HasOneAgent()
    {
        var module = new Travel([Clock]);
        var client = ScriptedChatClient.By((request, _) => request.Path == "tell"
            ? ScriptedChatClient.ChatText(FieldMap.Of(("answer", "ok")))
            : Turn("submit", FieldMap.Of(("town", "Rome"), ("hour", 7), ("direction", "south")).Without(request.Path == "arrive.react" ? "direction" : "town").Without(
                request.Path == "arrive.react" ? "none" : "hour")));
        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => module.WithModel(client).CallAsync("x", Token))));
        Assert.All(answers, answer => Assert.Equal("ok", answer));
    }

    private static string Turn(string tool, FieldMap arguments) => ScriptedChatClient.ChatText(FieldMap.Of(
        ("next_thought", "hm"), ("tool_calls", FieldMap.Of(("tool_calls", new[] { FieldMap.Of(("name", tool), ("args", arguments)) })))));
}
