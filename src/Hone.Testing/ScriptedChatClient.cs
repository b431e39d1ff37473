using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Hone.Testing;

/// <summary>One request that a scripted client has seen.</summary>
/// <param name="Messages">The messages, as they were.</param>
/// <param name="Options">The options; null when none were passed.</param>
public sealed record ScriptedRequest(ImmutableArray<ChatMessage> Messages, ChatOptions? Options)
{
    /// <summary>Text of the system message; empty when there is none.</summary>
    public string SystemText => Messages.FirstOrDefault(message => message.Role == ChatRole.System)?.Text ?? string.Empty;

    /// <summary>The predictor that asked, by its dotted path; null when no predictor did.</summary>
    public string? Path => (Options as HoneChatOptions)?.Path;

    /// <summary>Text of the last message.</summary>
    public string LastText => Messages.IsEmpty ? string.Empty : Messages[^1].Text;

    /// <summary>What an agent's tools have given so far, in order, as the chat format shows it; empty before the first call.</summary>
    public ImmutableArray<ToolResult> ToolResults =>
    [
        .. from message in Messages
           where message.Role == ChatRole.User
           let text = ChatInputs.Find(message.Text, "tool_call_results")
           where text is not null
           from result in ((IEnumerable<object?>)((FieldMap)CodeValues.FromJson(text)!)["tool_call_results"]!).Cast<FieldMap>()
           select new ToolResult((string?)result["call_id"], (string)result["name"]!, result["value"], result["is_error"] is true),
    ];

    /// <summary>
    /// An input as the chat format shows it: text as it is, lists and records as JSON. It is that of the request itself, which comes after those of demos and earlier
    /// turns.
    /// </summary>
    /// <param name="name">The field, e.g. <c>question</c>.</param>
    /// <exception cref="InvalidOperationException">No user message has the field.</exception>
    public string Input(string name) => FindInput(name) ?? throw new InvalidOperationException(
        $"The request of '{Path}' has no input '{name}' in the chat format. Its last message: {LastText}");

    /// <summary>As <see cref="Input"/>; null when no user message has the field.</summary>
    public string? FindInput(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Messages.Reverse().Where(message => message.Role == ChatRole.User).Select(message => ChatInputs.Find(message.Text, name)).FirstOrDefault(text => text is not null);
    }
}

/// <summary>A chat client that answers from a script: a sequence, or a function of the request. Records what it was asked.</summary>
public sealed class ScriptedChatClient : IChatClient
{
    private readonly Lock gate = new();
    private readonly List<ScriptedRequest> requests = [];
    private readonly Func<ScriptedRequest, int, CancellationToken, Task<ChatResponse>> answer;

    private int? pieceLength;

    private ScriptedChatClient(Func<ScriptedRequest, int, CancellationToken, Task<ChatResponse>> answer) => this.answer = answer;

    /// <summary>What was asked so far, in order of arrival.</summary>
    public IReadOnlyList<ScriptedRequest> Requests
    {
        get
        {
            lock (gate)
                return [.. requests];
        }
    }

    /// <summary>Answers with the given texts in turn; one call more is an error.</summary>
    public static ScriptedChatClient InSequence(params IReadOnlyList<string> answers) => new((_, index, _) => index < answers.Count
        ? Task.FromResult(Respond(answers[index]))
        : throw new InvalidOperationException($"The script holds {answers.Count} answers and was asked for one more."));

    /// <summary>Answers with a function of the request and its number.</summary>
    public static ScriptedChatClient By(Func<ScriptedRequest, int, string> answer) => new((request, index, _) => Task.FromResult(Respond(answer(request, index))));

    /// <summary>Answers with an asynchronous function, e.g. one that waits or fails.</summary>
    public static ScriptedChatClient ByAsync(Func<ScriptedRequest, int, CancellationToken, Task<ChatResponse>> answer) => new(answer);

    /// <summary>
    /// Answers each predictor with its own texts in turn, by dotted path (<c>self</c> for a program of one predictor). A path without a script and one call
    /// more than a script holds are errors.
    /// </summary>
    public static ScriptedChatClient ByPath(params IReadOnlyList<(string Path, IReadOnlyList<string> Answers)> scripts)
    {
        var answers = scripts.ToDictionary(script => script.Path, script => new Queue<string>(script.Answers), StringComparer.Ordinal);
        var turn = new Lock();
        return By((request, _) =>
        {
            if (request.Path is null || !answers.TryGetValue(request.Path, out var script))
                throw new InvalidOperationException($"There is no script for the path '{request.Path}'. Scripts: {string.Join(", ", answers.Keys)}.");
            lock (turn)
                return script.TryDequeue(out var next) ? next : throw new InvalidOperationException($"The script of '{request.Path}' was asked for one answer more than it holds.");
        });
    }

    /// <summary>Answers with the first rule that fits the request; a request that none fits is an error that shows it.</summary>
    public static ScriptedChatClient ByRules(params IReadOnlyList<(Func<ScriptedRequest, bool> When, string Answer)> rules) => By((request, _) =>
        rules.FirstOrDefault(rule => rule.When(request)) is { When: not null } found
            ? found.Answer
            : throw new InvalidOperationException($"None of {rules.Count} rules fits the request of '{request.Path}': {request.LastText}"));

    /// <summary>Answers in the chat format, each signature by its outputs: the first answer whose names are all asked for in the request's last sentence.</summary>
    public static ScriptedChatClient ForOutputs(params IReadOnlyList<FieldMap> answers) => By((request, _) =>
    {
        var fields = answers.FirstOrDefault(answer => answer.Keys.All(name => request.LastText.Contains($"`[[ ## {name} ## ]]`", StringComparison.Ordinal)))
            ?? throw new InvalidOperationException("No scripted answer has the outputs that the request asks for.");
        return ChatText(fields);
    });

    /// <summary>
    /// Answers in the format of an adapter, each signature by its outputs: the first answer whose names are all asked for at the end of the request, or in its system
    /// message where the format says nothing at the end.
    /// </summary>
    /// <param name="adapter">The adapter of the program.</param>
    /// <param name="answers">The answers.</param>
    public static ScriptedChatClient ForOutputs(Adapter adapter, params IReadOnlyList<FieldMap> answers)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        return By((request, _) =>
        {
            var fields = answers.FirstOrDefault(answer => answer.Keys.All(name => Asks(request.LastText, name)))
                ?? answers.FirstOrDefault(answer => answer.Keys.All(name => Asks(request.SystemText, name)))
                ?? throw new InvalidOperationException($"No scripted answer has the outputs that the request of '{request.Path}' asks for in the format of {adapter.Name}.");
            return Text(adapter, fields);
        });
    }

    /// <summary>
    /// Answers as that demo in the request whose inputs are the request's own, in any format: what a program shows its model is what it gets back. So a test sees which
    /// demos a predictor has.
    /// </summary>
    /// <param name="otherwise">The answer where no demo has the inputs; null makes it an error.</param>
    public static ScriptedChatClient FromDemos(string? otherwise = null) => By((request, _) => DemoAnswer(request) ?? otherwise
        ?? throw new InvalidOperationException($"No demo has the inputs of the request of '{request.Path}': {request.LastText}"));

    /// <summary>The text of an answer in the chat format; lists and records as JSON.</summary>
    public static string ChatText(FieldMap outputs) => Text(ChatAdapter.Default, outputs);

    /// <summary>The text of an answer in the format of an adapter; lists and records as JSON.</summary>
    /// <param name="adapter">The adapter.</param>
    /// <param name="outputs">The outputs.</param>
    public static string Text(Adapter adapter, FieldMap outputs)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        ArgumentNullException.ThrowIfNull(outputs);
        var signature = new Signature(outputs.Keys.Select(name => new SignatureField(name, FieldType.Any, FieldDirection.Output)));
        return adapter.RenderOutputs(signature, outputs);
    }

    /// <summary>The text of an agent's turn in the chat format: what it thinks, and the tools that it calls; <c>submit</c> ends its task.</summary>
    /// <param name="thought">The thought.</param>
    /// <param name="calls">Names of tools with their arguments.</param>
    public static string ToolText(string thought, params IReadOnlyList<(string Tool, FieldMap Arguments)> calls) => ChatText(FieldMap.Of(
        ("next_thought", thought),
        ("tool_calls", FieldMap.Of(("tool_calls", calls.Select(call => FieldMap.Of(("name", call.Tool), ("args", call.Arguments))).ToArray())))));

    /// <summary>A response with one assistant message and made-up usage of one token a word.</summary>
    public static ChatResponse Respond(string text) => new(new ChatMessage(ChatRole.Assistant, text))
    {
        FinishReason = ChatFinishReason.Stop,
        Usage = new() { OutputTokenCount = text.Split(' ').Length },
    };

    /// <summary>The same client, whose streams come in pieces of so many characters instead of whole.</summary>
    public ScriptedChatClient StreamingInPiecesOf(int characters)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(characters, 1);
        pieceLength = characters;
        return this;
    }

    /// <inheritdoc/>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var request = new ScriptedRequest([.. messages], options?.Clone());
        int index;
        lock (gate)
        {
            index = requests.Count;
            requests.Add(request);
        }

        return await answer(request, index, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var update in (await GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false)).ToChatResponseUpdates())
        {
            foreach (var piece in Cut(update))
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return piece;
            }
        }
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) =>
        serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("scripted", null, "scripted") : serviceType.IsInstanceOfType(this) ? this : null;

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    // As the formats name a field that is asked for.
    private static bool Asks(string text, string name) =>
        new[] { $"`[[ ## {name} ## ]]`", $"`{name}`", $"`<{name}>`" }.Any(shown => text.Contains(shown, StringComparison.Ordinal));

    // The request shows its inputs as demos do, and may say after them what to answer; of several the one that has the most of it.
    private static string? DemoAnswer(ScriptedRequest request)
    {
        var (asked, answer, length) = (request.LastText, (string?)null, -1);
        for (var i = 0; i + 1 < request.Messages.Length - 1; i++)
        {
            var (shown, given) = (request.Messages[i], request.Messages[i + 1]);
            if (shown.Role != ChatRole.User || given.Role != ChatRole.Assistant || !asked.StartsWith(shown.Text, StringComparison.Ordinal) || shown.Text.Length <= length)
                continue;
            if (asked.Length == shown.Text.Length || asked[shown.Text.Length..].StartsWith("\n\n", StringComparison.Ordinal))
                (answer, length) = (given.Text, shown.Text.Length);
        }

        return answer;
    }

    private IEnumerable<ChatResponseUpdate> Cut(ChatResponseUpdate update)
    {
        if (pieceLength is not { } length || update.Contents is not [TextContent { Text: var text }] || text.Length <= length)
            return [update];
        return text.Chunk(length).Select(piece =>
        {
            var part = update.Clone();
            part.Contents = [new TextContent(new string(piece))];
            return part;
        });
    }
}
