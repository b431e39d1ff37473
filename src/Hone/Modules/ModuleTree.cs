namespace Hone;

/// <summary>
/// The predictors under a module by dotted path; a predictor reached twice keeps its first path. Modules that are transparent add nothing to it.
/// </summary>
internal static class ModuleTree
{
    /// <summary>Path of a program that is itself a single predictor.</summary>
    public const string Self = "self";

    public static IReadOnlyList<KeyValuePair<string, Predictor>> Collect(Module root) =>
        [.. Find(root).Select(entry => KeyValuePair.Create(entry.Path, entry.Predictor))];

    /// <summary>The predictors, each with the model that a module around it brings with it.</summary>
    public static IReadOnlyList<FoundPredictor> Find(Module root)
    {
        if (Inside(root) is IPredictorModule single)
            return [new(Self, single.Predictor, null)];
        var found = new List<FoundPredictor>();
        Walk(root, string.Empty, null, found, new HashSet<object>(ReferenceEqualityComparer.Instance));
        var duplicate = found.GroupBy(entry => entry.Path, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1);
        return duplicate is null
            ? found
            : throw new HoneException($"Module {root.GetType().Name} has two predictors at the path '{duplicate.Key}'. Give each its own name.");
    }

    /// <summary>The modules that hold tools, in declaration order, with the prefix of their tools' paths.</summary>
    public static IReadOnlyList<KeyValuePair<string, IToolModule>> CollectTools(Module root) =>
        [.. Holders<IToolModule>(root).Select(entry => KeyValuePair.Create(entry.Path.Length == 0 ? string.Empty : entry.Path + ".", entry.Module))];

    /// <summary>The modules that need a demo bank, in declaration order, by path; <see cref="Self"/> for the root.</summary>
    public static IReadOnlyList<KeyValuePair<string, IDemoBankModule>> CollectBanks(Module root) =>
        [.. Holders<IDemoBankModule>(root).Select(entry => KeyValuePair.Create(entry.Path.Length == 0 ? Self : entry.Path, entry.Module))];

    private static List<(string Path, T Module)> Holders<T>(Module root)
        where T : class
    {
        var found = new List<(string Path, T Module)>();
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        Visit(root, string.Empty);
        return found;

        void Visit(Module module, string path)
        {
            if (!seen.Add(module) || module is IPredictorModule)
                return;
            if (module is T holder)
                found.Add((path, holder));
            if (module is ITransparentModule around)
            {
                Visit(around.Inner, path);
                return;
            }

            foreach (var (name, child) in module.GetChildren())
                Visit(child, path.Length == 0 ? name : $"{path}.{name}");
        }
    }

    private static void Walk(Module module, string prefix, LM? model, List<FoundPredictor> found, HashSet<object> seen)
    {
        var holder = Inside(module);
        foreach (var (name, around) in holder.GetChildren())
        {
            var path = prefix.Length == 0 ? name : $"{prefix}.{name}";
            var own = holder.ModelOf(name) ?? model;
            var child = Inside(around);
            if (child is IPredictorModule predictor)
            {
                if (seen.Add(predictor.Predictor))
                    found.Add(new(path, predictor.Predictor, own));
            }
            else if (seen.Add(child))
            {
                Walk(child, path, own, found, seen);
            }
        }
    }

    private static Module Inside(Module module)
    {
        while (module is ITransparentModule around)
            module = around.Inner;
        return module;
    }
}

/// <summary>A predictor of a module.</summary>
/// <param name="Path">Its dotted path.</param>
/// <param name="Predictor">The predictor.</param>
/// <param name="Model">The model that a module around it brings with it; null where none does.</param>
internal readonly record struct FoundPredictor(string Path, Predictor Predictor, LM? Model);
