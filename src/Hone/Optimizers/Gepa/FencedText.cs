using System.Text.RegularExpressions;

namespace Hone.Optimizers;

/// <summary>Takes the text out of an answer that puts it into a code fence.</summary>
internal static partial class FencedText
{
    private const string Fence = "```";

    /// <summary>
    /// What stands between the first and the last fence, so that fences inside survive; of several separate blocks the longest. With one fence alone, what
    /// follows it, or what stands before it when it ends the text. Without a fence, all of it.
    /// </summary>
    public static string Extract(string text)
    {
        text = text.Trim();
        var first = text.IndexOf(Fence, StringComparison.Ordinal);
        if (first < 0)
            return text;
        var last = text.LastIndexOf(Fence, StringComparison.Ordinal);
        if (first == last)
            return last == text.Length - Fence.Length && last > 0 ? text[..last].Trim() : WithoutTag(text[(first + Fence.Length)..]);
        var blocks = Blocks(text);
        return blocks.Count > 1 ? blocks.MaxBy(block => block.Length)! : WithoutTag(text[(first + Fence.Length)..last]);
    }

    // Blocks side by side. A fence with a tag opens, one without closes what is open.
    private static List<string> Blocks(string text)
    {
        var blocks = new List<string>();
        var (depth, start) = (0, 0);
        foreach (Match line in FenceLine().Matches(text))
        {
            if (depth == 0 || line.Groups["tag"].Length > 0)
            {
                if (depth++ == 0)
                    start = line.Index + line.Length;
            }
            else if (--depth == 0)
            {
                blocks.Add(text[start..line.Index].Trim());
            }
        }

        return blocks;
    }

    // "text" alone on the first line says what the block is; a first line with more words is part of it.
    private static string WithoutTag(string block)
    {
        var end = block.IndexOf('\n', StringComparison.Ordinal);
        return end >= 0 && Tag().IsMatch(block[..end]) ? block[(end + 1)..].Trim() : block.Trim();
    }

    [GeneratedRegex(@"^[ \t]*```(?<tag>[\w+#.-]*)[ \t]*\r?$", RegexOptions.Multiline)]
    private static partial Regex FenceLine();

    [GeneratedRegex(@"^[\w+#.-]*[ \t]*\r?$")]
    private static partial Regex Tag();
}
