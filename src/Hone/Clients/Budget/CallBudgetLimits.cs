using System.Collections.Immutable;
using System.Globalization;

namespace Hone;

/// <summary>What calls may cost in all. Null means no limit.</summary>
public sealed record CallBudgetLimits
{
    /// <summary>Most money, in US dollars. Every model under the budget then needs a price.</summary>
    public decimal? MaxMoney
    {
        get;
        init => field = OptionRange.NotNegative(value);
    }

    /// <summary>Most calls, repeated attempts included.</summary>
    public long? MaxCalls
    {
        get;
        init => field = OptionRange.NotNegative(value);
    }

    /// <summary>Most prompt tokens.</summary>
    public long? MaxInputTokens
    {
        get;
        init => field = OptionRange.NotNegative(value);
    }

    /// <summary>Most generated tokens.</summary>
    public long? MaxOutputTokens
    {
        get;
        init => field = OptionRange.NotNegative(value);
    }

    /// <summary>Most tokens, in and out.</summary>
    public long? MaxTokens
    {
        get;
        init => field = OptionRange.NotNegative(value);
    }

    /// <summary>Most time from the first call on. Calls that still run then are cancelled.</summary>
    public TimeSpan? MaxTime
    {
        get;
        init => field = value is { } time ? OptionRange.NotNegative(time) : null;
    }

    /// <summary>
    /// The output limit that a call gets when it has none and tokens or money are limited, so that its cost has a bound. A reasoning model gets its
    /// family's least limit when that is higher.
    /// </summary>
    public int AssumedOutputTokens
    {
        get;
        init => field = OptionRange.AtLeast(value, 1);
    } = 4096;

    /// <summary>Prompt tokens that an image, a recording or a document is taken to cost at most.</summary>
    public int AssumedMediaTokens
    {
        get;
        init => field = OptionRange.AtLeast(value, 0);
    } = 8192;

    internal bool LimitsTokens => (MaxMoney, MaxInputTokens, MaxOutputTokens, MaxTokens) is not (null, null, null, null);
}

/// <summary>What calls have cost, or may cost.</summary>
/// <param name="Calls">Calls, repeated attempts included.</param>
/// <param name="InputTokens">Prompt tokens.</param>
/// <param name="OutputTokens">Generated tokens.</param>
/// <param name="Money">US dollars; 0 where no price is known.</param>
public readonly record struct Spending(long Calls, long InputTokens, long OutputTokens, decimal Money)
{
    /// <summary>All tokens, in and out.</summary>
    public long TotalTokens => InputTokens + OutputTokens;

    /// <summary>The sum of both.</summary>
    public static Spending operator +(Spending left, Spending right) => new(
        left.Calls + right.Calls, left.InputTokens + right.InputTokens, left.OutputTokens + right.OutputTokens, left.Money + right.Money);

    /// <summary>The difference of both.</summary>
    public static Spending operator -(Spending left, Spending right) => new(
        left.Calls - right.Calls, left.InputTokens - right.InputTokens, left.OutputTokens - right.OutputTokens, left.Money - right.Money);

    /// <summary>The sum of both.</summary>
    public static Spending Add(Spending left, Spending right) => left + right;

    /// <summary>The difference of both.</summary>
    public static Spending Subtract(Spending left, Spending right) => left - right;

    /// <summary>The amounts in words.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Calls} calls, {InputTokens} input tokens, {OutputTokens} output tokens, ${Money:0.######}");
}

/// <summary>A budget at one moment.</summary>
/// <param name="Spent">What ended calls have cost.</param>
/// <param name="Reserved">What running calls may cost at most.</param>
/// <param name="Elapsed">Time since the first call.</param>
public sealed record BudgetSnapshot(Spending Spent, Spending Reserved, TimeSpan Elapsed)
{
    /// <summary>What was spent, by role.</summary>
    public ImmutableSortedDictionary<string, Spending> ByRole { get; init; } = ImmutableSortedDictionary<string, Spending>.Empty;

    /// <summary>What was spent, by predictor path; the empty path stands for calls outside a program.</summary>
    public ImmutableSortedDictionary<string, Spending> ByPath { get; init; } = ImmutableSortedDictionary<string, Spending>.Empty;
}

/// <summary>A call does not fit into its budget, or its time is up. It was not made, or it was cancelled.</summary>
public sealed class BudgetExceededException : HoneException
{
    internal BudgetExceededException(string limit, string most, BudgetSnapshot state, Spending asked, string who, Exception? innerException = null)
        : base(
            $"The budget's {limit} of {most} does not allow {who}. Spent: {state.Spent}. Reserved by running calls: {state.Reserved}. "
            + $"Asked for at most: {asked}. Raise {nameof(CallBudgetLimits)}.{limit}, or ask for less (a shorter prompt, a lower MaxOutputTokens).",
            innerException) => (Limit, Spent, Reserved, Asked) = (limit, state.Spent, state.Reserved, asked);

    /// <summary>Name of the limit, e.g. <c>MaxMoney</c>.</summary>
    public string Limit { get; }

    /// <summary>What ended calls had cost.</summary>
    public Spending Spent { get; }

    /// <summary>What running calls might still cost.</summary>
    public Spending Reserved { get; }

    /// <summary>What the refused call might have cost.</summary>
    public Spending Asked { get; }
}
