using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Programs for code that speaks to chat clients.</summary>
public static class ProgramChatClientExtensions
{
    /// <summary>
    /// The program as a chat client: for agents, user interfaces and middleware of Microsoft.Extensions.AI. Its answer is one assistant message;
    /// streamed, it comes in one piece. Options of a request, e.g. its temperature and tools, are the program's affair and ignored.
    /// </summary>
    /// <typeparam name="TIn">What goes in.</typeparam>
    /// <typeparam name="TOut">What comes out.</typeparam>
    /// <param name="program">The program.</param>
    /// <param name="input">The input of a conversation; system messages included.</param>
    /// <param name="text">The answer's text of an output.</param>
    /// <param name="name">The name of the model that the client seems to be.</param>
    /// <param name="options">Settings of each run.</param>
    /// <remarks>
    /// The usage of a response is that of the run. Inside another program's run it is null: there the run counts as a program inside a program.
    /// </remarks>
    public static IChatClient AsChatClient<TIn, TOut>(
        this Program<TIn, TOut> program,
        Func<IReadOnlyList<ChatMessage>, TIn> input,
        Func<TOut, string> text,
        string name = "program",
        RunOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(program);
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(text);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return new ProgramChatClient<TIn, TOut>(program, input, text, name, options);
    }

    /// <summary>As the other overload, for a program from text to text: its input is the last message of the user.</summary>
    /// <param name="program">The program.</param>
    /// <param name="name">The name of the model that the client seems to be.</param>
    /// <param name="options">Settings of each run.</param>
    public static IChatClient AsChatClient(this Program<string, string> program, string name = "program", RunOptions? options = null) =>
        program.AsChatClient(LastOfUser, static answer => answer, name, options);

    private static string LastOfUser(IReadOnlyList<ChatMessage> messages) => messages.LastOrDefault(message => message.Role == ChatRole.User)?.Text
        ?? throw new HoneException("The conversation has no message of the user, and this program answers the last one.");
}

/// <summary>A program behind the interface of a chat client.</summary>
internal sealed class ProgramChatClient<TIn, TOut>(
    Program<TIn, TOut> program, Func<IReadOnlyList<ChatMessage>, TIn> input, Func<TOut, string> text, string name, RunOptions? options) : IChatClient
{
    private readonly RunOptions? settings = options;

    /// <inheritdoc/>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var isInside = HoneScope.Current?.Recorder is not null;
        var run = await program.RunAsync(input([.. messages]), settings, cancellationToken).ConfigureAwait(false);
        return new(new ChatMessage(ChatRole.Assistant, text(run.Value)))
        {
            ModelId = name,
            FinishReason = ChatFinishReason.Stop,
            Usage = isInside ? null : UsageOf(run.Usage),
        };
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var response = await GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false);
        foreach (var update in response.ToChatResponseUpdates())
            yield return update;
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("hone", null, name)
            : serviceType.IsInstanceOfType(this) ? this
            : serviceType.IsInstanceOfType(program) ? program
            : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // The program's models are not its own.
    }

    private static UsageDetails UsageOf(Usage usage) => new()
    {
        InputTokenCount = usage.InputTokens,
        OutputTokenCount = usage.OutputTokens,
        TotalTokenCount = usage.TotalTokens,
        CachedInputTokenCount = usage.CachedInputTokens,
        ReasoningTokenCount = usage.ReasoningTokens,
    };
}
