using System.Diagnostics;
using Hone.Testing;

namespace Hone.Tests.Runtime;

public sealed class ObserverTests
{
    private static readonly FieldMap Question = FieldMap.Of(("question", "q"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Observer_SeesEveryStep_InOrderWithParents()
    {
        var observer = new Recording();
        await Program("[[ ## answer ## ]]\na").WithObserver(observer).CallAsync(Question, Token);
        Assert.Equal(
            ["+Program", "+Module", "+Render", "-Render", "+Model", "-Model", "+Parse", "-Parse", "-Module", "-Program"], observer.Events);
        var program = observer.Started[0];
        Assert.Null(program.ParentId);
        Assert.Equal(program.Id, observer.Started[1].ParentId);
        Assert.All(observer.Started.Skip(2), call => Assert.Equal(observer.Started[1].Id, call.ParentId));
        Assert.Equal("self", observer.Started[1].Name);
    }

    [Fact]
    public async Task Observer_SeesFailures()
    {
        var observer = new Recording();
        var program = Program("nothing").WithRecovery(RecoveryPolicy.None).WithObserver(observer);
        await Assert.ThrowsAsync<AdapterParseException>(() => program.CallAsync(Question, Token));
        Assert.IsType<AdapterParseException>(observer.Ended.First(call => call.Kind == CallKind.Parse).Error);
        Assert.IsType<AdapterParseException>(observer.Ended[^1].Error);
        Assert.Equal(observer.Started.Count, observer.Ended.Count);
    }

    [Fact]
    public async Task Observer_ThatThrows_IsLoggedAndDoesNotDisturb()
    {
        var log = new ListLogger();
        var outputs = await Program("[[ ## answer ## ]]\na").WithObserver(new Throwing()).WithLogger(log).CallAsync(Question, Token);
        Assert.Equal("a", outputs["answer"]);
        Assert.All(log.Warnings, warning => Assert.Contains(nameof(Throwing), warning, StringComparison.Ordinal));
        Assert.NotEmpty(log.Warnings);
    }

    [Fact]
    public async Task Spans_HaveTheShapeOfTheProgram_AndNoContents()
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
        await Predict.Parse("question -> answer").WithModel(new LM(ScriptedChatClient.By((_, _) => "[[ ## answer ## ]]\nsecret"), "m"))
            .CallAsync(FieldMap.Of(("question", "private")), Token);
        Assert.Equal(["chat", "self", "invoke_workflow"], spans.Select(span => span.DisplayName.Split(' ')[0]));
        Assert.Equal(spans[1].SpanId, spans[0].ParentSpanId);
        Assert.Equal(spans[2].SpanId, spans[1].ParentSpanId);
        Assert.Equal("self", spans[0].GetTagItem("hone.path"));
        Assert.All(spans.SelectMany(span => span.TagObjects), tag =>
        {
            Assert.DoesNotContain("secret", $"{tag.Value}", StringComparison.Ordinal);
            Assert.DoesNotContain("private", $"{tag.Value}", StringComparison.Ordinal);
        });
    }

    private static Program<FieldMap, FieldMap> Program(string answer) =>
        Predict.Parse("question -> answer").WithModel(ScriptedChatClient.By((_, _) => answer));

    private sealed class Recording : IHoneObserver
    {
        public List<string> Events { get; } = [];

        public List<CallStarted> Started { get; } = [];

        public List<CallEnded> Ended { get; } = [];

        public void OnStarted(CallStarted call)
        {
            Started.Add(call);
            Events.Add($"+{call.Kind}");
        }

        public void OnEnded(CallEnded call)
        {
            Ended.Add(call);
            Events.Add($"-{call.Kind}");
        }
    }

    private sealed class Throwing : IHoneObserver
    {
        public void OnStarted(CallStarted call) => throw new InvalidOperationException("observer");

        public void OnEnded(CallEnded call) => throw new InvalidOperationException("observer");
    }
}
