using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Generators.Tests.Modules;

/// <summary>A module whose predictor methods give their text piece by piece.</summary>
public sealed partial class Writer(Action<string> show, int most = int.MaxValue) : Module<string, string>
{
    [Predict("Write a text.")]
    private partial IAsyncEnumerable<string> WriteAsync(string topic, CancellationToken cancellationToken = default);

    [ChainOfThought(Output = "ending")]
    private partial IAsyncEnumerable<string> Close(string text, CallOptions? options, CancellationToken cancellationToken);

    protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken)
    {
        var count = 0;
        var text = string.Empty;
        await foreach (var piece in WriteAsync(input, cancellationToken))
        {
            show(piece);
            text += piece;
            if (++count == most)
                return text;
        }

        await foreach (var piece in Close(text, new() { Temperature = 0.25f }, cancellationToken))
        {
            show(piece);
            text += piece;
        }

        return text;
    }
}

public class StreamedMethodTests
{
    private const string Draft = "[[ ## answer ## ]]\nBees are busy.\n\n[[ ## completed ## ]]";
    private const string Ending = "[[ ## reasoning ## ]]\nIt should end.\n\n[[ ## ending ## ]]\nThe end.\n\n[[ ## completed ## ]]";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pieces_ArriveInOrder_AndTheCallsAreTracedAndSeeded()
    {
        var client = ScriptedChatClient.InSequence(Draft, Ending).StreamingInPiecesOf(3);
        var pieces = new List<string>();

        var run = await new Writer(pieces.Add).WithModel(client).RunAsync("bees", new() { Seed = 7 }, Token);

        Assert.Equal("Bees are busy.The end.", run.Value);
        Assert.Equal(run.Value, string.Concat(pieces));
        Assert.True(pieces.Count > 4, $"{pieces.Count} pieces");
        Assert.DoesNotContain(string.Empty, pieces);
        Assert.Equal(["write", "close"], run.Trace.Calls.Select(call => call.Path));
        Assert.Equal("Bees are busy.", run.Trace.Calls[0].Outputs!["answer"]);
        Assert.All(client.Requests, request => Assert.NotNull(request.Options!.Seed));
        Assert.Equal([null, 0.25f], client.Requests.Select(request => request.Options!.Temperature));
    }

    [Fact]
    public async Task Seeds_AreThoseOfAWholeCall()
    {
        var streamed = ScriptedChatClient.InSequence(Draft, Ending);
        await new Writer(_ => { }).WithModel(streamed).RunAsync("bees", new() { Seed = 7 }, Token);
        var seed = new SeedStream(7).Derive("write", 0).Seed;
        Assert.Equal(seed, streamed.Requests[0].Options!.Seed);
    }

    [Fact]
    public async Task ProgramStream_SeesTheDeltasToo()
    {
        var client = ScriptedChatClient.InSequence(Draft, Ending).StreamingInPiecesOf(3);
        var pieces = new List<string>();
        var events = new List<RunEvent>();

        await foreach (var happened in new Writer(pieces.Add).WithModel(client).StreamAsync("bees", null, Token))
            events.Add(happened);

        Assert.Equal(
            pieces, events.OfType<FieldDelta>().Where(delta => delta.Field is "answer" or "ending" && delta.Text.Length > 0).Select(delta => delta.Text));
        Assert.Equal("It should end.", string.Concat(events.OfType<FieldDelta>().Where(delta => delta.Field == "reasoning").Select(delta => delta.Text)));
        Assert.Equal(["write", "close"], events.OfType<CallCompleted>().Select(call => call.Path));
        Assert.IsType<RunCompleted<string>>(events[^1]);
    }

    [Fact]
    public async Task LeavingTheLoop_StopsTheRequest()
    {
        using var endless = new EndlessClient();
        var run = await new Writer(_ => { }, most: 1).WithModel(endless).RunAsync("bees", cancellationToken: Token);
        Assert.StartsWith("on", run.Value, StringComparison.Ordinal);
        Assert.True(endless.IsStopped.IsCompleted);
    }

    [Fact]
    public async Task Cancelling_StopsTheLoop()
    {
        using var endless = new EndlessClient();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var program = new Writer(_ => stop.Cancel()).WithModel(endless);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => program.RunAsync("bees", cancellationToken: stop.Token));
        Assert.True(endless.IsStopped.IsCompleted);
    }

    [Fact]
    public async Task Error_SurfacesInTheLoop()
    {
        var client = ScriptedChatClient.ByAsync((_, _, _) => throw new LMServerException("down"));
        var program = new Writer(_ => { }).WithModel(new LM(client) { Retry = null });
        await Assert.ThrowsAsync<LMServerException>(() => program.RunAsync("bees", cancellationToken: Token));
    }

    /// <summary>Writes for ever, until it is stopped.</summary>
    private sealed class EndlessClient : IChatClient
    {
        private readonly TaskCompletionSource stopped = new();

        public Task IsStopped => stopped.Task;

        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            throw new NotSupportedException("It streams only.");

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages,
            ChatOptions? options = null,
            [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            try
            {
                yield return new(ChatRole.Assistant, "[[ ## answer ## ]]\n");
                while (true)
                {
                    await Task.Yield();
                    cancellationToken.ThrowIfCancellationRequested();
                    yield return new(ChatRole.Assistant, "on and ");
                }
            }
            finally
            {
                stopped.SetResult();
            }
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
