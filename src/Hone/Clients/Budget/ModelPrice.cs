using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>What a model costs, in US dollars for a million tokens.</summary>
/// <param name="Input">Price of prompt tokens.</param>
/// <param name="Output">Price of generated tokens.</param>
/// <param name="CachedInput">Price of prompt tokens that the provider had cached; null means the full price.</param>
public sealed record ModelPrice(decimal Input, decimal Output, decimal? CachedInput = null)
{
    private const decimal Million = 1_000_000m;

    /// <summary>A model that costs nothing, e.g. one that runs in this process.</summary>
    public static ModelPrice Free { get; } = new(0, 0);

    /// <summary>The cost of tokens, none of them cached.</summary>
    public decimal CostOf(long inputTokens, long outputTokens) => ((inputTokens * Input) + (outputTokens * Output)) / Million;

    /// <summary>The cost of one call.</summary>
    public decimal CostOf(UsageDetails usage)
    {
        ArgumentNullException.ThrowIfNull(usage);
        var input = usage.InputTokenCount ?? 0;
        // Some clients count cached tokens within the input, some beside it.
        var cached = usage.CachedInputTokenCount ?? 0;
        var full = cached <= input ? input - cached : input;
        return CostOf(full, usage.OutputTokenCount ?? 0) + (cached * (CachedInput ?? Input) / Million);
    }
}

/// <summary>Looks prices up. Hone ships none: they change, and it asks no network.</summary>
public interface IPriceTable
{
    /// <summary>The price of a model; null when it is not known.</summary>
    ModelPrice? Find(string? provider, string model);
}

/// <summary>A price table held in memory, by model id.</summary>
public sealed class PriceTable(IReadOnlyDictionary<string, ModelPrice> prices) : IPriceTable
{
    /// <summary>The price under the model's id, or else under the longest entry that the id begins with, so that dated ids find their family.</summary>
    public ModelPrice? Find(string? provider, string model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (prices.TryGetValue(model, out var price))
            return price;
        var family = prices.Keys
            .Where(key => model.Length > key.Length && model[key.Length] is '-' or '@' or ':' && model.StartsWith(key, StringComparison.OrdinalIgnoreCase))
            .MaxBy(key => key.Length);
        return family is null ? null : prices[family];
    }
}
