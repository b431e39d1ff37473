using System.Collections.Immutable;

namespace Hone.Optimizers;

/// <summary>What a component selector may look at.</summary>
/// <param name="Pool">What was found so far.</param>
/// <param name="Parent">The candidate that is changed.</param>
/// <param name="Scores">Its scores on the minibatch.</param>
public sealed record ComponentChoice(GepaPool Pool, int Parent, ImmutableArray<double> Scores);

/// <summary>Chooses which texts of a candidate are changed.</summary>
public interface IComponentSelector
{
    /// <summary>Name with all settings: part of a run's identity.</summary>
    string Name { get; }

    /// <summary>Names of the texts; at least one.</summary>
    /// <param name="choice">What to choose from.</param>
    /// <param name="random">The only source of chance: then a resumed run chooses alike.</param>
    ImmutableArray<string> Select(ComponentChoice choice, Random random);
}

/// <summary>Ways to choose which texts are changed.</summary>
public static class ComponentSelectors
{
    /// <summary>One after the other along each line of descent.</summary>
    public static IComponentSelector RoundRobin { get; } = new InTurn();

    /// <summary>All at once.</summary>
    public static IComponentSelector All { get; } = new AllAtOnce();

    private sealed class InTurn : IComponentSelector
    {
        public string Name => "round robin";

        public ImmutableArray<string> Select(ComponentChoice choice, Random random) => [choice.Pool.TakeTurn(choice.Parent)];
    }

    private sealed class AllAtOnce : IComponentSelector
    {
        public string Name => "all";

        public ImmutableArray<string> Select(ComponentChoice choice, Random random) => choice.Pool.Components;
    }
}
