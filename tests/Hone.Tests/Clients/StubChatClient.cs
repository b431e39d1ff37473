using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Clients;

/// <summary>A client of any provider and model that answers by a function, and streams word by word. Counts its calls.</summary>
internal sealed class StubChatClient : IChatClient
{
    private readonly Func<IReadOnlyList<ChatMessage>, ChatOptions?, CancellationToken, Task<ChatResponse>> answer;
    private int calls;

    public StubChatClient(Func<IReadOnlyList<ChatMessage>, ChatOptions?, CancellationToken, Task<ChatResponse>> answer) => this.answer = answer;

    /// <summary>Answers by the number of the call, from 0.</summary>
    public StubChatClient(Func<int, ChatResponse> answer) => this.answer = (_, _, _) => Task.FromResult(answer(Calls - 1));

    public string? Provider { get; init; } = "openai";

    public Uri? Address { get; init; } = new("https://api.openai.com/v1");

    public string? Model { get; init; } = "gpt-4o";

    /// <summary>Fails a stream after that many updates.</summary>
    public (int Updates, Exception Error)? Break { get; init; }

    public int Calls => Volatile.Read(ref calls);

    public ChatOptions? LastOptions { get; private set; }

    public static StubChatClient Saying(string text) => new(_ => Response(text));

    public static ChatResponse Response(string text, int input = 10, int output = 5) => new(new ChatMessage(ChatRole.Assistant, text))
    {
        FinishReason = ChatFinishReason.Stop,
        ModelId = "gpt-4o",
        ResponseId = "r1",
        Usage = new() { InputTokenCount = input, OutputTokenCount = output, TotalTokenCount = input + output },
    };

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref calls);
        LastOptions = options;
        try
        {
            return answer([.. messages], options, cancellationToken);
        }
        catch (Exception error)
        {
            return Task.FromException<ChatResponse>(error);
        }
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var response = await GetResponseAsync(messages, options, cancellationToken);
        var words = response.Text.Split(' ');
        for (var i = 0; i < words.Length; i++)
        {
            if (Break is { } broken && i == broken.Updates)
                throw broken.Error;
            cancellationToken.ThrowIfCancellationRequested();
            yield return new(ChatRole.Assistant, i == 0 ? words[i] : " " + words[i]) { ResponseId = response.ResponseId, MessageId = "m1", ModelId = response.ModelId };
        }

        yield return new()
        {
            ResponseId = response.ResponseId,
            ModelId = response.ModelId,
            FinishReason = response.FinishReason,
            Contents = response.Usage is null ? [] : [new UsageContent(response.Usage)],
            AdditionalProperties = response.AdditionalProperties,
        };
    }

    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata(Provider, Address, Model) : serviceType.IsInstanceOfType(this) ? this : null;

    public void Dispose()
    {
    }
}
