using System.Text.RegularExpressions;
using Docs.Tests.Checks;

namespace Docs.Tests;

public sealed partial class LinkTests
{
    public static TheoryData<string> Pages => [.. Checkout.Pages];

    [Theory]
    [MemberData(nameof(Pages))]
    public void LocalLinks_OfAPage_Resolve(string page)
    {
        var text = string.Join('\n', Prose(page));
        foreach (var target in Link().Matches(text).Select(match => match.Groups["target"].Value))
        {
            if (target.Contains("://", StringComparison.Ordinal) || target.StartsWith("mailto:", StringComparison.Ordinal))
                continue;
            var (path, anchor) = target.Split('#') is [var before, var behind] ? (before, behind) : (target, null);
            var file = path.Length == 0 ? Checkout.PathOf(page) : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Checkout.PathOf(page))!, path));
            Assert.True(File.Exists(file) || Directory.Exists(file), $"{page} links to '{target}', which does not exist.");
            if (anchor is not null)
                Assert.True(Anchors(file).Contains(anchor), $"{page} links to '{target}', but there is no such heading.");
        }
    }

    // Without examples: brackets and parentheses there are code.
    private static IEnumerable<string> Prose(string page)
    {
        var isCode = false;
        foreach (var line in File.ReadLines(Checkout.PathOf(page)))
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
                isCode = !isCode;
            else if (!isCode)
                yield return Code().Replace(line, "code");
        }
    }

    private static HashSet<string> Anchors(string file) =>
    [
        .. File.ReadLines(file).Where(line => line.StartsWith('#')).Select(line => NotInAnchor().Replace(line.TrimStart('#').Trim().ToLowerInvariant(), string.Empty).Replace(' ', '-')),
    ];

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("`[^`]*`")]
    private static partial Regex Code();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NotInAnchor();
}
