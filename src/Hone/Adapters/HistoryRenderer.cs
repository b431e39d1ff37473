using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Renders the conversation so far: for each turn what was asked, what was answered, and what tools gave.</summary>
internal static class HistoryRenderer
{
    public static void Add(List<ChatMessage> messages, PromptAdapter adapter, AdapterRequest request, SignatureField history, object? turns)
    {
        foreach (var item in TurnsOf(adapter, request.Signature, history, turns))
        {
            var turn = item as FieldMap ?? throw Unreadable(adapter, request.Signature, history, item);
            var user = adapter.RenderInputs(request.Signature, turn, null, null, history);
            if (user.Count > 0)
                messages.Add(new(ChatRole.User, user));
            if (ToolTurn.Find(turn) is not { } tools)
                messages.Add(new(ChatRole.Assistant, adapter.RenderOutputs(request.Signature, turn)));
            else if (request.UsesNativeTools)
                tools.AddNatively(messages, adapter, request.Signature);
            else
                tools.AddAsText(messages, adapter, request.Signature);
        }
    }

    private static IEnumerable<object?> TurnsOf(Adapter adapter, Signature signature, SignatureField history, object? turns) => turns switch
    {
        History conversation => conversation.Turns.CastArray<object?>(),
        ImmutableArray<object?> list => list,
        null => [],
        _ => throw Unreadable(adapter, signature, history, turns),
    };

    private static HoneException Unreadable(Adapter adapter, Signature signature, SignatureField history, object? found) => new(
        $"{adapter.Name}: input '{history.Name}' of signature '{signature.Shape}' must be a {nameof(History)} or a list of turns, "
        + $"each a {nameof(FieldMap)} of field values; found {found?.GetType().Name ?? "null"}.");
}
