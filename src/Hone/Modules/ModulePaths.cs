namespace Hone;

/// <summary>Where modules that are no predictors stand in a program: known by a predictor that is directly below.</summary>
internal static class ModulePaths
{
    /// <summary>The path of the module that holds a predictor; <see cref="ModuleTree.Self"/> for a program's root, null outside of a program.</summary>
    /// <param name="scope">The scope of the run.</param>
    /// <param name="child">The predictor.</param>
    /// <param name="name">What the module calls it.</param>
    public static string? Of(HoneScope? scope, IPredictorModule child, string name)
    {
        var path = scope?.Bindings?.GetValueOrDefault(child.Predictor)?.Path;
        return path is null ? null
            : path == name ? ModuleTree.Self
            : path.EndsWith("." + name, StringComparison.Ordinal) ? path[..^(name.Length + 1)]
            : path;
    }
}
