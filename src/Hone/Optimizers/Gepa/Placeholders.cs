using System.Text.RegularExpressions;

namespace Hone.Optimizers;

/// <summary>Places in a text that code fills in before a model reads it: a name in braces, e.g. <c>{city}</c>.</summary>
internal static partial class Placeholders
{
    /// <summary>The first placeholder of a text that another one lacks; null when it has them all.</summary>
    public static string? MissingIn(string proposed, string current) => Name().Matches(current).Select(match => match.Value)
        .FirstOrDefault(placeholder => !proposed.Contains(placeholder, StringComparison.Ordinal));

    [GeneratedRegex(@"\{+[A-Za-z_][\w.]*\}+")]
    private static partial Regex Name();
}
