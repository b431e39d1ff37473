using System.Collections.Immutable;

namespace Hone;

/// <summary>A module that needs a <see cref="DemoBank"/> in the state of its program.</summary>
internal interface IDemoBankModule;

/// <summary>A module around another that adds nothing to paths.</summary>
internal interface ITransparentModule
{
    /// <summary>What it is around.</summary>
    Module Inner { get; }
}

/// <summary>Gives the demo banks of a state to the modules that they belong to.</summary>
internal static class DemoBankBinder
{
    /// <summary>The banks by module; null when there are none.</summary>
    /// <exception cref="HoneException">The state has a bank where no module needs one.</exception>
    public static Dictionary<object, DemoBank>? Bind(Module root, ProgramState state)
    {
        if (state.DemoBanks.IsEmpty)
            return null;
        var holders = ModuleTree.CollectBanks(root);
        var bound = new Dictionary<object, DemoBank>(ReferenceEqualityComparer.Instance);
        foreach (var (path, bank) in state.DemoBanks)
        {
            if (holders.FirstOrDefault(entry => entry.Key == path).Value is not { } holder)
                throw new HoneException(
                    $"The state has a demo bank '{path}' that module {root.GetType().Name} has no KnnDemos for. "
                    + $"It has: {(holders.Count == 0 ? "none" : string.Join(", ", holders.Select(entry => entry.Key)))}. Put a KnnDemos around the module that the bank is for.");
            bound.Add(holder, bank);
        }

        return bound;
    }

    /// <summary>The path in the program of a predictor inside a module that holds a bank.</summary>
    public static string PathOf(string holder, string predictor) =>
        predictor == ModuleTree.Self ? holder : holder == ModuleTree.Self ? predictor : $"{holder}.{predictor}";
}

/// <summary>Inputs as the text by which examples are compared.</summary>
internal static class DemoFields
{
    /// <summary>The names that inputs hold: in the order of the signatures, then those that no signature has, by name.</summary>
    public static ImmutableArray<string> Order(IEnumerable<Signature> signatures, IReadOnlyList<FieldMap> inputs)
    {
        var held = inputs.SelectMany(input => input.Select(field => field.Key)).ToHashSet(StringComparer.Ordinal);
        string[] known = [.. signatures.SelectMany(signature => signature.Inputs).Select(field => field.Name).Where(held.Contains).Distinct(StringComparer.Ordinal)];
        return [.. known, .. held.Except(known, StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    /// <summary>The text of an input; empty when it has none of the fields.</summary>
    public static string Text(ImmutableArray<string> names, IEnumerable<Signature> signatures, FieldMap input)
    {
        SignatureField[] known = [.. signatures.SelectMany(signature => signature.Inputs)];
        return Knn.Text(
            [.. names.Select(name => Array.Find(known, field => field.Name == name) ?? new(name, FieldType.Any, FieldDirection.Input))], input);
    }
}
