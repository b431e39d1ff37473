using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace PrivateDelegation.World;

/// <summary>A model that follows a rule: what the demonstration has instead of servers. Its calls cost what a server's would, in tokens of four letters.</summary>
internal sealed class RuleClient(string name, Func<string, string> rule) : IChatClient
{
    /// <summary>Knows which form helps with what, and says so when the request names it.</summary>
    public static LM Untrusted() => new(new RuleClient("untrusted", request => Office.Find(request) is { } found
        ? $"For the {found.Purpose}, use form {found.Form}."
        : "Please say what it is about."), "untrusted")
    { Role = "untrusted", Cache = new() };

    /// <summary>Judges as the instructions say: an answer is good when it names the right form; a detail is told when the request holds it.</summary>
    public static LM Judge() => new(new RuleClient("judge", prompt =>
    {
        if (FieldOf(prompt, "response_a") is not { } answer)
            return Answer("told", $"{DetailsIn(prompt)}");
        var form = Office.Find(FieldOf(prompt, "user_query")!)?.Form ?? "none";
        return Answer("judgment", answer.Contains(form, StringComparison.Ordinal) || !FieldOf(prompt, "response_b")!.Contains(form, StringComparison.Ordinal) ? "True" : "False");
    }), "judge")
    { Role = "judge", Cache = new() };

    /// <inheritdoc/>
    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var prompt = messages.Last().Text;
        var answer = rule(prompt);
        return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, answer))
        {
            FinishReason = ChatFinishReason.Stop,
            ModelId = name,
            Usage = new() { InputTokenCount = prompt.Length / 4, OutputTokenCount = answer.Length / 4 },
        });
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        foreach (var update in (await GetResponseAsync(messages, options, cancellationToken)).ToChatResponseUpdates())
            yield return update;
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) => serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("rules", null, name) : null;

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static int DetailsIn(string prompt)
    {
        var request = FieldOf(prompt, "request")!;
        var details = System.Text.Json.JsonSerializer.Deserialize<string[]>(FieldOf(prompt, "personal_details")!)!;
        return details.Count(detail => request.Contains(detail, StringComparison.OrdinalIgnoreCase));
    }

    private static string Answer(string field, string value) => $"[[ ## reasoning ## ]]\nBy rule.\n\n[[ ## {field} ## ]]\n{value}\n\n[[ ## completed ## ]]";

    // The value of a field in a chat prompt: what stands between its header and the next one, or the closing reminder.
    private static string? FieldOf(string prompt, string field)
    {
        var header = $"[[ ## {field} ## ]]\n";
        var start = prompt.IndexOf(header, StringComparison.Ordinal);
        if (start < 0)
            return null;
        start += header.Length;
        var next = prompt.IndexOf("\n\n[[ ## ", start, StringComparison.Ordinal);
        var reminder = prompt.IndexOf("\n\nRespond with ", start, StringComparison.Ordinal);
        var end = new[] { next, reminder }.Where(position => position >= 0).DefaultIfEmpty(prompt.Length).Min();
        return prompt[start..end];
    }
}
