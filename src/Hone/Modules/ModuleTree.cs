namespace Hone;

/// <summary>The predictors under a module by dotted path; a predictor reached twice keeps its first path.</summary>
internal static class ModuleTree
{
    /// <summary>Path of a program that is itself a single predictor.</summary>
    public const string Self = "self";

    public static IReadOnlyList<KeyValuePair<string, Predictor>> Collect(Module root)
    {
        if (root is IPredictorModule single)
            return [new(Self, single.Predictor)];
        var found = new List<KeyValuePair<string, Predictor>>();
        Walk(root, string.Empty, found, new HashSet<object>(ReferenceEqualityComparer.Instance));
        var duplicate = found.GroupBy(entry => entry.Key, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1);
        return duplicate is null
            ? found
            : throw new HoneException($"Module {root.GetType().Name} has two predictors at the path '{duplicate.Key}'. Give each its own name.");
    }

    /// <summary>The modules that hold tools, in declaration order, with the prefix of their tools' paths.</summary>
    public static IReadOnlyList<KeyValuePair<string, IToolModule>> CollectTools(Module root)
    {
        var found = new List<KeyValuePair<string, IToolModule>>();
        WalkTools(root, string.Empty, found, new HashSet<object>(ReferenceEqualityComparer.Instance));
        return found;
    }

    private static void WalkTools(Module module, string path, List<KeyValuePair<string, IToolModule>> found, HashSet<object> seen)
    {
        if (!seen.Add(module) || module is IPredictorModule)
            return;
        if (module is IToolModule holder)
            found.Add(new(path.Length == 0 ? string.Empty : path + ".", holder));
        foreach (var (name, child) in module.GetChildren())
            WalkTools(child, path.Length == 0 ? name : $"{path}.{name}", found, seen);
    }

    private static void Walk(Module module, string prefix, List<KeyValuePair<string, Predictor>> found, HashSet<object> seen)
    {
        foreach (var (name, child) in module.GetChildren())
        {
            var path = prefix.Length == 0 ? name : $"{prefix}.{name}";
            if (child is IPredictorModule predictor)
            {
                if (seen.Add(predictor.Predictor))
                    found.Add(new(path, predictor.Predictor));
            }
            else if (seen.Add(child))
            {
                Walk(child, path, found, seen);
            }
        }
    }
}
