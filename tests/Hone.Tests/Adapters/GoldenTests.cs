using Microsoft.Extensions.AI;

namespace Hone.Tests.Adapters;

/// <summary>What the model is shown, letter by letter.</summary>
public sealed class GoldenTests
{
    private static readonly ModelCapabilities Able = new() { NativeTools = true, ParallelTools = true, JsonMode = true, ResponseSchema = true };

    public static TheoryData<string, string> Cases => Pairs(GoldenCases.Names);

    public static TheoryData<string, string> NativeCases => Pairs(["tools", "tools_only", "history_tools", "types", "media"]);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Render_AsText_MatchesGolden(string adapter, string name) =>
        GoldenFile.Check($"{adapter}.{name}", Plan(adapter, name, ModelCapabilities.TextOnly).Messages);

    /// <summary>What goes to a model that knows tools and schemas: the messages, and what travels beside them.</summary>
    [Theory]
    [MemberData(nameof(NativeCases))]
    public void Render_Native_MatchesGolden(string adapter, string name)
    {
        var plan = Plan(adapter, name, Able);
        var options = new ChatOptions();
        plan.Configure(options);
        var format = options.ResponseFormat switch
        {
            ChatResponseFormatJson { Schema: { } schema } => schema.GetRawText(),
            ChatResponseFormatJson => "JSON",
            _ => "none",
        };
        GoldenFile.Check(
            $"{adapter}.{name}_native",
            plan.Messages,
            $"===== options\ntools: {string.Join(", ", (options.Tools ?? []).Select(tool => tool.Name))}\nresponse format: {format}\n");
    }

    private static AdapterPlan Plan(string adapter, string name, ModelCapabilities capabilities)
    {
        var chosen = AdapterList.Named(adapter, useNativeTools: capabilities.NativeTools);
        return AdapterPlan.Create(chosen, GoldenCases.Named(name), capabilities, new());
    }

    private static TheoryData<string, string> Pairs(IEnumerable<string> names)
    {
        var pairs = new TheoryData<string, string>();
        foreach (var name in names)
        {
            foreach (var adapter in AdapterList.Names)
                pairs.Add(adapter, name);
        }

        return pairs;
    }
}
