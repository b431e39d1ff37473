using Hone;

namespace OutputRefinement;

/// <summary>What a slogan is wanted for.</summary>
public sealed record Brief(string Product, IReadOnlyList<string> Terms, int MaxWords);

/// <summary>The slogan.</summary>
public sealed record Slogan(string Text);

/// <summary>What a slogan is worth.</summary>
internal static class Slogans
{
    /// <summary>The share of the terms that are in it, and nothing above half when it is too long; says in words what is wrong.</summary>
    public static Score Reward(Brief brief, Slogan slogan)
    {
        var missing = brief.Terms.Where(term => !slogan.Text.Contains(term, StringComparison.OrdinalIgnoreCase)).ToArray();
        var words = slogan.Text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;
        var found = 1 - ((double)missing.Length / Math.Max(1, brief.Terms.Count));
        string[] faults =
        [
            .. missing.Select(term => $"'{term}' is missing."),
            .. words > brief.MaxWords ? [$"It has {words} words, {brief.MaxWords} are allowed."] : Array.Empty<string>(),
        ];
        return new(words > brief.MaxWords ? found / 2 : found) { Feedback = faults.Length == 0 ? "Good." : string.Join(' ', faults) };
    }
}
