using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Hone.Testing;

/// <summary>
/// Makes a client fail as real services do: slow, rate limited, broken off, mangled. Which requests are met follows from the seed, the request and how often
/// it was made, so that a run with the same seed meets the same faults at any parallelism.
/// </summary>
public sealed class FaultInjectingChatClient : DelegatingChatClient
{
    private readonly Lock gate = new();
    private readonly FaultOptions options;
    private readonly Dictionary<string, int> attempts = new(StringComparer.Ordinal);
    private readonly Dictionary<InjectedFault, int> counts = [];

    /// <summary>Wraps a client.</summary>
    /// <exception cref="HoneException">The rates together are more than all requests.</exception>
    public FaultInjectingChatClient(IChatClient innerClient, FaultOptions options) : base(innerClient)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.RateLimitRate + options.ServerErrorRate + options.CutRate + options.MalformedRate is > 1 + 1e-9 and var together)
            throw new HoneException(FormattableString.Invariant($"The rates of faults sum up to {together}, which is more than all requests. Lower one."));
        this.options = options;
    }

    /// <summary>How many requests met a fault; <see cref="InjectedFault.None"/> counts those that met none.</summary>
    public int CountOf(InjectedFault fault)
    {
        lock (gate)
            return counts.GetValueOrDefault(fault);
    }

    /// <inheritdoc/>
    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ChatMessage[] sent = [.. messages];
        var fault = await MeetAsync(sent, options, cancellationToken).ConfigureAwait(false);
        var response = await base.GetResponseAsync(sent, options, cancellationToken).ConfigureAwait(false);
        if (fault == InjectedFault.Cut)
            throw BrokenOff();
        if (fault == InjectedFault.Malformed)
        {
            foreach (var message in response.Messages)
                message.Contents = [.. message.Contents.Select(Mangled)];
        }

        return response;
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ChatMessage[] sent = [.. messages];
        var fault = await MeetAsync(sent, options, cancellationToken).ConfigureAwait(false);
        if (fault == InjectedFault.None)
        {
            await foreach (var update in base.GetStreamingResponseAsync(sent, options, cancellationToken).ConfigureAwait(false))
                yield return update;
            yield break;
        }

        var updates = await base.GetStreamingResponseAsync(sent, options, cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        var whole = updates.ToChatResponse();
        if (fault == InjectedFault.Malformed)
        {
            yield return new(ChatRole.Assistant, [.. whole.Messages.SelectMany(message => message.Contents).Select(Mangled)]) { FinishReason = whole.FinishReason };
            yield break;
        }

        yield return new(ChatRole.Assistant, whole.Text[..(whole.Text.Length / 2)]);
        throw BrokenOff();
    }

    private static LMTransportException BrokenOff() => new("The answer broke off (an injected fault).");

    // A client that cannot read the arguments of a call says so in this way.
    private static AIContent Mangled(AIContent content) => content switch
    {
        TextContent text => new TextContent(Mangled(text.Text)),
        FunctionCallContent call => new FunctionCallContent(call.CallId, call.Name) { Exception = new FormatException("they end in the middle (an injected fault)") },
        _ => content,
    };

    private static string Mangled(string text) => text[..(text.Length / 2)]
        .Replace("[[ ##", "[ #", StringComparison.Ordinal).Replace("<", "", StringComparison.Ordinal).Replace("{", "(", StringComparison.Ordinal);

    // Refusals end the request here; other faults meet the answer.
    private async Task<InjectedFault> MeetAsync(ChatMessage[] messages, ChatOptions? sent, CancellationToken cancellationToken)
    {
        if (options.Latency > TimeSpan.Zero)
            await Task.Delay(options.Latency, options.Time, cancellationToken).ConfigureAwait(false);
        var fault = Next(RecordedExchange.KeyOf(RecordedExchange.RequestOf(messages, sent)));
        return fault switch
        {
            InjectedFault.RateLimit => throw new LMRateLimitException("Too many requests (an injected fault).") { Status = 429, RetryAfter = options.RetryAfter },
            InjectedFault.ServerError => throw new LMServerException("The server failed (an injected fault).") { Status = 500 },
            _ => fault,
        };
    }

    private InjectedFault Next(string key)
    {
        lock (gate)
        {
            var attempt = attempts[key] = attempts.GetValueOrDefault(key) + 1;
            var place = new SeedStream(options.Seed).Derive(key, attempt).CreateRandom().NextDouble();
            var fault = Choose(place);
            counts[fault] = counts.GetValueOrDefault(fault) + 1;
            return fault;
        }
    }

    private InjectedFault Choose(double place)
    {
        ReadOnlySpan<(InjectedFault Fault, double Rate)> rates =
        [
            (InjectedFault.RateLimit, options.RateLimitRate), (InjectedFault.ServerError, options.ServerErrorRate),
            (InjectedFault.Cut, options.CutRate), (InjectedFault.Malformed, options.MalformedRate),
        ];
        foreach (var (fault, rate) in rates)
        {
            if (place < rate)
                return fault;
            place -= rate;
        }

        return InjectedFault.None;
    }
}
