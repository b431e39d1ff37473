using System.Diagnostics;
using Hone.Testing;
using Microsoft.Extensions.AI;
using static Hone.Tests.Modules.Agents.AgentScript;

namespace Hone.Tests.Runtime;

/// <summary>What spans say of each kind of work, and what they never say.</summary>
public sealed class SpanTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Span_ConstraintFailure_HasTheTypeAndNotTheAnswer()
    {
        var signature = new Signature(
            [
                new("question", FieldType.String, FieldDirection.Input),
                new("answer", FieldType.String, FieldDirection.Output) { Constraints = [new("max_length", 3L)] },
            ]);
        var program = new Predict(signature).WithModel(ScriptedChatClient.By((_, _) => "[[ ## answer ## ]]\ntop-secret-answer")).WithRecovery(RecoveryPolicy.None);
        var spans = await SpansAsync(() => Assert.ThrowsAsync<AdapterParseException>(() => program.CallAsync(FieldMap.Of(("question", "q")), Token)));

        var failed = spans.Where(span => span.Status == ActivityStatusCode.Error).ToList();
        Assert.Equal(2, failed.Count);
        Assert.All(failed, span => Assert.Equal((nameof(AdapterParseException), nameof(AdapterParseException)), (span.StatusDescription, span.GetTagItem("error.type"))));
        AssertSilent(spans, "top-secret-answer");
    }

    [Fact]
    public async Task Span_ToolErrorWithAKey_HasTheTypeAndNotTheKey()
    {
        const string key = "sk-proj-abcdefghijklmnopqrstuvwxyz012345";
        var leaky = AIFunctionFactory.Create(string () => throw new InvalidOperationException($"401 for https://x.test/?api_key={key}"), "leaky");
        var client = ScriptedChatClient.InSequence(Turn("try", ("leaky", "{}")), Turn("done", ("submit", """{"answer": "no"}""")));
        var spans = await SpansAsync(() => ReAct.Parse("question -> answer", [leaky]).WithModel(client).CallAsync(FieldMap.Of(("question", "q")), Token));

        var tool = Assert.Single(spans, span => span.DisplayName == "execute_tool leaky");
        Assert.Equal((ActivityStatusCode.Error, nameof(InvalidOperationException)), (tool.Status, tool.StatusDescription));
        AssertSilent(spans, key);
    }

    [Fact]
    public async Task Span_LMError_HasItsCode()
    {
        var client = ScriptedChatClient.ByAsync((_, _, _) => throw new LMBillingException("account 4711 has no money"));
        var program = Predict.Parse("question -> answer").WithModel(new LM(client) { Retry = null });
        var spans = await SpansAsync(() => Assert.ThrowsAsync<LMBillingException>(() => program.CallAsync(FieldMap.Of(("question", "q")), Token)));

        Assert.All(spans, span => Assert.Equal("billing", span.StatusDescription));
        AssertSilent(spans, "4711");
    }

    [Fact]
    public async Task Spans_OfAnAgent_NameOperationToolAndPath()
    {
        var client = ScriptedChatClient.InSequence(Turn("add", ("add", """{"a": 1}""")), Turn("done", ("submit", """{"answer": "3"}""")));
        var spans = await SpansAsync(() => new Team().WithModel(client).CallAsync(FieldMap.Of(("question", "q")), Token));

        var agent = Assert.Single(spans, span => span.DisplayName == "invoke_agent ReAct");
        Assert.Equal(("invoke_agent", "ReAct", "helper"), (agent.GetTagItem("gen_ai.operation.name"), agent.GetTagItem("gen_ai.agent.name"), agent.GetTagItem("hone.path")));
        var tool = Assert.Single(spans, span => span.DisplayName == "execute_tool add");
        Assert.Equal(("execute_tool", "add"), (tool.GetTagItem("gen_ai.operation.name"), tool.GetTagItem("gen_ai.tool.name")));
        Assert.Equal(agent.SpanId, tool.ParentSpanId);
        var steps = spans.Where(span => span.DisplayName == "helper.react").ToList();
        Assert.Equal(2, steps.Count);
        Assert.All(steps, step => Assert.Equal((agent.SpanId, (object?)"helper.react"), (step.ParentSpanId, step.GetTagItem("hone.path"))));
        var program = Assert.Single(spans, span => span.DisplayName == "invoke_workflow Team");
        Assert.Equal(("invoke_workflow", "Team"), (program.GetTagItem("gen_ai.operation.name"), program.GetTagItem("gen_ai.workflow.name")));
    }

    [Fact]
    public async Task Spans_OfARetriever_AndObservers_TellOfTheSearch()
    {
        var observer = new Kinds();
        var spans = await SpansAsync(async () =>
        {
            using var scope = HoneScope.Use(new ScopeOptions { Observer = observer });
            return await RetrieverObservation.RunAsync("shelf", "a private query", () => Task.FromResult<IReadOnlyList<Passage>>([]), Token);
        });

        var span = Assert.Single(spans);
        Assert.Equal("retrieval shelf", span.DisplayName);
        Assert.Equal(("retrieval", "shelf"), (span.GetTagItem("gen_ai.operation.name"), span.GetTagItem("gen_ai.data_source.id")));
        AssertSilent(spans, "a private query");
        Assert.Equal([(CallKind.Retrieval, "shelf", "a private query")], observer.Seen);
    }

    [Fact]
    public async Task Spans_OfAnEvaluation_HoldItsRuns()
    {
        var program = Predict.Parse("question -> answer").WithModel(ScriptedChatClient.By((_, _) => "[[ ## answer ## ]]\na"));
        Example<FieldMap, FieldMap>[] examples = [new(FieldMap.Of(("question", "q")), FieldMap.Of(("answer", "a")))];
        var metric = Metric.From<FieldMap, FieldMap>((example, output) => Equals(example.Expected["answer"], output["answer"]));
        var spans = await SpansAsync(() => Evaluator.Create(metric).EvaluateAsync(program, examples, Token));

        var evaluation = Assert.Single(spans, span => span.DisplayName == "evaluate Predict");
        Assert.Equal("evaluate", evaluation.GetTagItem("gen_ai.operation.name"));
        Assert.Equal(evaluation.SpanId, Assert.Single(spans, span => span.DisplayName == "invoke_workflow Predict").ParentSpanId);
    }

    private static void AssertSilent(IEnumerable<Activity> spans, string secret) => Assert.All(spans, span =>
    {
        Assert.DoesNotContain(secret, span.StatusDescription ?? "", StringComparison.Ordinal);
        Assert.DoesNotContain(secret, span.DisplayName, StringComparison.Ordinal);
        Assert.All(span.TagObjects, tag => Assert.DoesNotContain(secret, $"{tag.Value}", StringComparison.Ordinal));
        Assert.All(span.Events.SelectMany(each => each.Tags), tag => Assert.DoesNotContain(secret, $"{tag.Value}", StringComparison.Ordinal));
    });

    private static async Task<List<Activity>> SpansAsync<T>(Func<Task<T>> work)
    {
        var spans = new List<Activity>();
        using var root = new Activity("test").Start();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Hone",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = span =>
            {
                if (span.RootId == root.RootId)
                    lock (spans)
                        spans.Add(span);
            },
        };
        ActivitySource.AddActivityListener(listener);
        await work();
        return spans;
    }

    private sealed class Team : Module<FieldMap, FieldMap>
    {
        private readonly ReAct helper = ReAct.Parse("question -> answer", [Add]);

        protected override Task<FieldMap> ForwardAsync(FieldMap input, CancellationToken cancellationToken) => helper.CallAsync(input, cancellationToken);
    }

    private sealed class Kinds : IHoneObserver
    {
        public List<(CallKind Kind, string Name, object? Input)> Seen { get; } = [];

        public void OnStarted(CallStarted call) => Seen.Add((call.Kind, call.Name, call.Input));

        public void OnEnded(CallEnded call)
        {
        }
    }
}
