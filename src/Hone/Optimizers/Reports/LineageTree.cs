using System.Collections.Immutable;
using static Hone.HtmlWriter;

namespace Hone.Optimizers;

/// <summary>Candidates as a tree of what was made from what, in nested lists: each under its first parent, with the others named.</summary>
internal static class LineageTree
{
    /// <summary>The tree; candidates without a parent stand at the top.</summary>
    public static void Write(HtmlWriter page, ImmutableArray<OptimizationCandidate> candidates, int best)
    {
        var children = candidates.ToLookup(candidate => candidate.Parents.IsEmpty ? -1 : candidate.Parents[0]);
        Branch(-1);

        void Branch(int parent)
        {
            if (!children.Contains(parent))
                return;
            page.Raw("<ul>");
            foreach (var candidate in children[parent])
            {
                page.Raw($"<li><span{(candidate.Index == best ? " class=\"good\"" : "")}>{Escape(Label(candidate))}</span>");
                Branch(candidate.Index);
                page.Raw("</li>");
            }

            page.Raw("</ul>");
        }
    }

    /// <summary>A page with the tree alone.</summary>
    public static string Page(ImmutableArray<OptimizationCandidate> candidates, int best)
    {
        var page = new HtmlWriter();
        page.Element("h1", "Candidates");
        Write(page, candidates, best);
        return page.Page("Candidates");
    }

    private static string Label(OptimizationCandidate candidate) =>
        FormattableString.Invariant($"{candidate.Index}: {candidate.Origin}")
        + (candidate.Score is { } score ? $", {Number(score)}" : string.Empty)
        + (candidate.Parents.Length > 1 ? $", also from {string.Join(", ", candidate.Parents[1..])}" : string.Empty);
}
