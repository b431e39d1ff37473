using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Composes what surrounds a model's calls. A part that is absent costs nothing.</summary>
internal static class LMPipeline
{
    public static IChatClient Build(LM model) => Build(model, []);

    /// <param name="model">The model.</param>
    /// <param name="around">Budgets of a run that the call is part of, beside the model's own; outermost last.</param>
    public static IChatClient Build(LM model, IReadOnlyList<CallBudget> around)
    {
        var identity = model.Identity;
        var capabilities = model.Capabilities;
        IChatClient client = new AttemptClient(model.Client, new(identity, model.Log)
        {
            Retry = model.Retry,
            RateLimiter = model.RateLimiter,
            Capabilities = capabilities,
            Price = model.EffectivePrice,
            Media = model.Media,
            Checks = model.Checks,
        });
        if (model.Budget is { } budget)
            client = new BudgetClient(client, budget, identity, capabilities, model.Price);
        if (!model.Failover.IsDefaultOrEmpty)
            client = new FailoverClient(client, identity, [.. model.Failover.Select(next => Under(model, next))], model.Log);
        foreach (var outer in around)
            client = new BudgetClient(client, outer, identity, capabilities, model.EffectivePrice);
        if (model.Cache is { } cache)
            client = new CacheClient(client, cache, identity, model.Client, model.Log);
        if (model.History is { } history)
            client = new HistoryClient(client, history, identity, model.EffectivePrice);
        return client;
    }

    private static LM Under(LM model, LM next) =>
        next with { Budget = next.Budget ?? model.Budget, Logger = next.Logger ?? model.Logger, Role = next.Role == LM.TaskRole ? model.Role : next.Role };
}
