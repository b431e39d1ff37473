using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Hone.Optimizers;

/// <summary>Models that say nothing, each in its own way: what earns their answers is what a policy earns for giving up.</summary>
internal sealed class SilentPolicy
{
    public SilentPolicy(ImmutableArray<KeyValuePair<string, Signature>> predictors, Adapter adapter)
    {
        Speechless = new(new Client(_ => string.Empty), "speechless") { Retry = null };
        var empty = predictors.ToDictionary(entry => entry.Key, entry => adapter.RenderOutputs(entry.Value, EmptyOutputs(entry.Value)), StringComparer.Ordinal);
        Empty = new(new Client(path => empty.GetValueOrDefault(path, string.Empty)), "empty") { Retry = null };
    }

    /// <summary>Answers with no text at all.</summary>
    public LM Speechless { get; }

    /// <summary>Answers in the right format, with nothing in its fields.</summary>
    public LM Empty { get; }

    private static FieldMap EmptyOutputs(Signature signature) => FieldMap.Create(
        signature.Outputs.Select(field => KeyValuePair.Create(field.Name, EmptyValue(field.Type))));

    private static object? EmptyValue(FieldType type) => type.Kind switch
    {
        _ when type.AdmitsNull => null,
        FieldTypeKind.Boolean => false,
        FieldTypeKind.Integer => 0L,
        FieldTypeKind.Number => 0.0,
        FieldTypeKind.Decimal => 0m,
        FieldTypeKind.List => ImmutableArray<object?>.Empty,
        FieldTypeKind.Dictionary => FieldMap.Empty,
        _ => string.Empty,
    };

    private sealed class Client(Func<string, string> answer) : IChatClient
    {
        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, answer((options as HoneChatOptions)?.Path ?? string.Empty)))
            {
                FinishReason = ChatFinishReason.Stop,
            });

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            foreach (var update in (await GetResponseAsync(messages, options, cancellationToken).ConfigureAwait(false)).ToChatResponseUpdates())
                yield return update;
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
