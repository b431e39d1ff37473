using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Reserves before each call what it may cost, and settles after it.</summary>
internal sealed class BudgetClient(
    IChatClient inner, CallBudget budget, ClientIdentity identity, ModelCapabilities capabilities, ModelPrice? price) : DelegatingChatClient(inner)
{
    /// <inheritdoc/>
    public override async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var call = await BeginAsync(messages, options, cancellationToken).ConfigureAwait(false);
        using (call)
        {
            try
            {
                var response = await InnerClient.GetResponseAsync(call.Prompt, call.Options, call.Token).ConfigureAwait(false);
                call.Settle(response.Usage);
                if (call.SetsLimit && response.FinishReason == ChatFinishReason.Length)
                    (response.AdditionalProperties ??= [])[ResponseKeys.BudgetCut] = true;
                return response;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && budget.IsOutOfTime)
            {
                throw call.OutOfTime();
            }
        }
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var call = await BeginAsync(messages, options, cancellationToken).ConfigureAwait(false);
        using (call)
        {
            UsageDetails? usage = null;
            var (hasBegun, isCut) = (false, false);
            var updates = InnerClient.GetStreamingResponseAsync(call.Prompt, call.Options, call.Token).GetAsyncEnumerator(call.Token);
            await using (updates.ConfigureAwait(false))
            {
                try
                {
                    while (await MoveAsync(updates, call, cancellationToken).ConfigureAwait(false))
                    {
                        hasBegun = true;
                        isCut |= updates.Current.FinishReason == ChatFinishReason.Length;
                        foreach (var content in updates.Current.Contents.OfType<UsageContent>())
                            (usage ??= new()).Add(content.Details);
                        yield return updates.Current;
                    }

                    call.Settle(usage);
                    if (isCut && call.SetsLimit)
                        yield return new() { AdditionalProperties = new() { [ResponseKeys.BudgetCut] = true } };
                }
                finally
                {
                    // A stream that was left or broke after it began has cost something, and its usage comes last: all that it might have.
                    if (hasBegun)
                        call.Settle(null);
                }
            }
        }
    }

    private async ValueTask<bool> MoveAsync(IAsyncEnumerator<ChatResponseUpdate> updates, BudgetedCall call, CancellationToken cancellationToken)
    {
        try
        {
            return await updates.MoveNextAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && budget.IsOutOfTime)
        {
            throw call.OutOfTime();
        }
    }

    private async ValueTask<BudgetedCall> BeginAsync(IEnumerable<ChatMessage> messages, ChatOptions? options, CancellationToken cancellationToken)
    {
        var prompt = messages as IReadOnlyList<ChatMessage> ?? [.. messages];
        var own = HoneChatOptions.CopyOf(options);
        var rate = price ?? budget.Prices?.Find(identity.Provider, options?.ModelId ?? identity.Model ?? identity.Name);
        var asked = new Spending(1, 0, 0, 0);
        var setsLimit = budget.Limits.LimitsTokens && own.MaxOutputTokens is null;
        if (budget.Limits.LimitsTokens)
        {
            if (rate is null && budget.Limits.MaxMoney is not null)
                throw new LMConfigurationException(
                    $"The budget limits money, but the price of this model is not known. Set {nameof(LM)}.{nameof(LM.Price)}, or give the budget a price table that has it.")
                {
                    Model = identity.Name,
                };
            own.MaxOutputTokens ??= AssumedOutput();
            var input = TokenBound.OfInput(prompt, own, budget.Limits.AssumedMediaTokens);
            asked = new(1, input, own.MaxOutputTokens.Value, rate?.CostOf(input, own.MaxOutputTokens.Value) ?? 0);
        }

        var path = ClientIdentity.PathOf(options);
        var reservation = await budget.ReserveAsync(asked, identity.RoleOf(options), path, cancellationToken).ConfigureAwait(false);
        reservation.Outer = own.Reservation;
        own.Reservation = reservation;
        budget.Reserved?.Invoke();
        return new(budget, prompt, own, rate, cancellationToken) { SetsLimit = setsLimit };
    }

    private int AssumedOutput()
    {
        var assumed = Math.Max(budget.Limits.AssumedOutputTokens, capabilities.MinOutputTokens ?? 0);
        return capabilities.MaxOutputTokens is { } most ? Math.Min(assumed, most) : assumed;
    }

    /// <summary>One call with its reservation.</summary>
    private sealed class BudgetedCall : IDisposable
    {
        private readonly CallBudget budget;
        private readonly ModelPrice? price;
        private readonly CancellationTokenSource? linked;
        private readonly BudgetReservation reservation;

        public BudgetedCall(CallBudget budget, IReadOnlyList<ChatMessage> prompt, HoneChatOptions options, ModelPrice? price, CancellationToken cancellationToken)
        {
            (this.budget, this.price, Prompt, Options, reservation) = (budget, price, prompt, options, options.Reservation!);
            linked = budget.Deadline is { } deadline ? CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline) : null;
            Token = linked?.Token ?? cancellationToken;
        }

        public IReadOnlyList<ChatMessage> Prompt { get; }

        public HoneChatOptions Options { get; }

        public CancellationToken Token { get; }

        /// <summary>True when the output limit is the budget's own.</summary>
        public bool SetsLimit { get; init; }

        public void Settle(UsageDetails? usage)
        {
            var held = reservation.Held;
            reservation.Settle(usage is null ? held : new(
                held.Calls,
                usage.InputTokenCount ?? held.InputTokens,
                usage.OutputTokenCount ?? held.OutputTokens,
                CostOf(usage, held)));
        }

        public BudgetExceededException OutOfTime() => budget.OutOfTime(reservation.Held, reservation.Path);

        public void Dispose()
        {
            reservation.Release();
            linked?.Dispose();
        }

        private decimal CostOf(UsageDetails usage, Spending held) => price is null ? 0
            : usage.InputTokenCount is null || usage.OutputTokenCount is null
                ? price.CostOf(usage.InputTokenCount ?? held.InputTokens, usage.OutputTokenCount ?? held.OutputTokens)
            : price.CostOf(usage);
    }
}
