using System.Collections.Immutable;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Lays a state's texts over the tools of a module and of those inside it.</summary>
internal static class ToolBinder
{
    private const int LongestName = 64;

    /// <summary>The tools by the module that holds them, and by path in declaration order.</summary>
    /// <exception cref="HoneException">The state names a tool or an argument that there is not, or a name that a tool cannot have.</exception>
    public static (Dictionary<object, ImmutableArray<ToolBinding>> ByModule, ImmutableArray<KeyValuePair<string, AIFunction>> ByPath) Bind(
        Module root, ProgramState state)
    {
        var byModule = new Dictionary<object, ImmutableArray<ToolBinding>>(ReferenceEqualityComparer.Instance);
        var byPath = ImmutableArray.CreateBuilder<KeyValuePair<string, AIFunction>>();
        foreach (var (prefix, holder) in ModuleTree.CollectTools(root))
        {
            ImmutableArray<ToolBinding> bound = [.. holder.Tools.Select(tool => Bind(prefix + tool.Name, tool, state))];
            CheckNames(holder, bound);
            byModule.Add(holder, bound);
            foreach (var tool in bound)
                byPath.Add(KeyValuePair.Create(tool.Path, tool.Function));
        }

        foreach (var path in state.Tools.Keys)
        {
            if (!byPath.Any(entry => entry.Key == path))
                throw new HoneException(
                    $"The state has a tool '{path}' that module {root.GetType().Name} lacks. "
                    + $"It has: {(byPath.Count == 0 ? "none" : string.Join(", ", byPath.Select(entry => entry.Key)))}.");
        }

        return (byModule, byPath.ToImmutable());
    }

    /// <summary>Refuses two tools of one name, and names that are taken.</summary>
    public static void CheckNames(IToolModule holder, IEnumerable<ToolBinding> tools)
    {
        var seen = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (path, function) in tools)
        {
            if (holder.ReservedToolNames.Contains(function.Name))
                throw new HoneException($"The tool '{path}' is called '{function.Name}', which {holder.GetType().Name} needs for itself. Give it another name.");
            if (!seen.TryAdd(function.Name, path))
                throw new HoneException(
                    $"The tools '{seen[function.Name]}' and '{path}' of {holder.GetType().Name} are both called '{function.Name}'. Give each its own name.");
        }
    }

    private static ToolBinding Bind(string path, AIFunction tool, ProgramState state)
    {
        if (!state.Tools.TryGetValue(path, out var text) || text == ToolText.Default)
            return new(path, tool);
        if (text.Name is { } name && !IsName(name))
            throw new HoneException(
                $"The state calls the tool '{path}' '{name}'. Models take names of letters, digits, '_' and '-', at most {LongestName} of them.");
        var arguments = TunedTool.ArgumentsOf(tool.JsonSchema);
        var unknown = text.Arguments.Keys.Order(StringComparer.Ordinal).FirstOrDefault(argument => !arguments.Contains(argument, StringComparer.Ordinal));
        if (unknown is not null)
            throw new HoneException(
                $"The state describes an argument '{unknown}' that the tool '{path}' lacks. It has: {(arguments.Count == 0 ? "none" : string.Join(", ", arguments))}.");
        return new(path, new TunedTool(tool, text));
    }

    private static bool IsName(string name) =>
        name.Length is > 0 and <= LongestName && name.All(character => char.IsAsciiLetterOrDigit(character) || character is '_' or '-');
}
