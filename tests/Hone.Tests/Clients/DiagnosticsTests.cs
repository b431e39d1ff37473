using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Clients;

[CollectionDefinition(nameof(DiagnosticsTests), DisableParallelization = true)]
[Collection(nameof(DiagnosticsTests))]
public sealed class DiagnosticsTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Calls_AreSpansAndMeasurements_UnderTheConventionsNames()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Hone",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        using var meter = new Measurements();
        using var cache = new ResponseCache();
        using var budget = new CallBudget(new() { MaxCalls = 3 });
        var client = new StubChatClient(call => call == 0 ? throw new HttpRequestException("down") : StubChatClient.Response("x")) { Model = "gpt-4o-test" };
        var model = (new LM(client) with { Cache = cache, Budget = budget, Price = new(1, 2), Retry = new() { Time = new LeapingTime() } }).AsChatClient();
        await model.GetResponseAsync("hi", new HoneChatOptions { Path = "answer", Temperature = 0.5f }, Token);
        await model.GetResponseAsync("hi", new HoneChatOptions { Path = "answer", Temperature = 0.5f }, Token);
        await model.GetStreamingResponseAsync("other", cancellationToken: Token).ToChatResponseAsync(Token);
        await Assert.ThrowsAsync<BudgetExceededException>(() => model.GetResponseAsync("third", cancellationToken: Token));

        var mine = spans.Where(span => span.DisplayName == "chat gpt-4o-test").ToList();
        Assert.Equal(2, mine.Count); // a hit is no call
        var first = mine[0].TagObjects.ToDictionary();
        Assert.Equal(("chat", "openai", "answer", "task", 10L, 5L, 1), (
            first["gen_ai.operation.name"], first["gen_ai.provider.name"], first["hone.path"], first["hone.role"],
            first["gen_ai.usage.input_tokens"], first["gen_ai.usage.output_tokens"], first["hone.retries"]));
        Assert.Equal(["stop"], (string[])first["gen_ai.response.finish_reasons"]!);
        Assert.Equal(ActivityKind.Client, mine[0].Kind);

        Assert.Equal([10.0, 5.0, 10.0, 5.0], meter.Of("gen_ai.client.token.usage", "gpt-4o-test"));
        Assert.Equal(2, meter.Of("gen_ai.client.operation.duration", "gpt-4o-test").Count);
        Assert.Equal([20e-6, 20e-6], meter.Of("hone.client.cost", "gpt-4o-test")); // a hit costs nothing
        Assert.Equal((1.0, 3.0), (meter.Sum("hone.cache.requests", "result", "hit"), meter.Sum("hone.cache.requests", "result", "miss")));
        Assert.Equal(1, meter.Sum("hone.retries", "error.type", "transport"));
        Assert.Equal(1, meter.Sum("hone.budget.rejections", "hone.budget.limit", "MaxCalls"));
    }

    [Fact]
    public async Task FailedCalls_CarryTheirKind()
    {
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Hone",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        var failing = new LM(new StubChatClient(_ => throw new HttpRequestException("no", null, System.Net.HttpStatusCode.Unauthorized)) { Model = "gpt-4o-fails" }).AsChatClient();
        await Assert.ThrowsAsync<LMAuthException>(() => failing.GetResponseAsync("hi", cancellationToken: Token));
        var broken = new LM(new StubChatClient(_ => StubChatClient.Response("a b c")) { Model = "gpt-4o-fails", Break = (2, new IOException("cut")) }).AsChatClient();
        await Assert.ThrowsAsync<LMTransportException>(async () => await broken.GetStreamingResponseAsync("hi", cancellationToken: Token).ToChatResponseAsync(Token));
        var left = new LM(new StubChatClient(_ => StubChatClient.Response("a b c")) { Model = "gpt-4o-fails" }).AsChatClient();
        await foreach (var update in left.GetStreamingResponseAsync("hi", cancellationToken: Token))
            break;
        Assert.Equal(["auth", "transport", "cancelled"], spans.Where(span => span.DisplayName == "chat gpt-4o-fails").Select(span => span.GetTagItem("error.type")));
    }

    private sealed class Measurements : IDisposable
    {
        private readonly MeterListener listener = new();
        private readonly ConcurrentQueue<(string Name, double Value, Dictionary<string, object?> Tags)> seen = [];

        public Measurements()
        {
            listener.InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == "Hone")
                    self.EnableMeasurementEvents(instrument);
            };
            listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => seen.Enqueue((instrument.Name, value, tags.ToArray().ToDictionary())));
            listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => seen.Enqueue((instrument.Name, value, tags.ToArray().ToDictionary())));
            listener.Start();
        }

        public List<double> Of(string name, string model) =>
            [.. seen.Where(item => item.Name == name && Equals(item.Tags.GetValueOrDefault("gen_ai.request.model"), model)).Select(item => item.Value)];

        public double Sum(string name, string tag, string value) =>
            seen.Where(item => item.Name == name && Equals(item.Tags.GetValueOrDefault(tag), value)).Sum(item => item.Value);

        public void Dispose() => listener.Dispose();
    }
}
