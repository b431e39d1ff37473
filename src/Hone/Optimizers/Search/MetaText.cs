using System.Text;
using System.Text.RegularExpressions;

namespace Hone.Optimizers;

/// <summary>
/// Texts for and from models that write texts. What comes from data stands in marked blocks of limited length; four characters count as a token, which
/// is near enough for a limit.
/// </summary>
internal static partial class MetaText
{
    private const int CharactersPerToken = 4;
    private const string Cut = " … (cut)";

    /// <summary>A text between tags that it cannot close itself.</summary>
    public static string Block(string name, string text) => $"<{name}>\n{text.Replace($"</{name}>", $"< /{name}>", StringComparison.OrdinalIgnoreCase).Trim()}\n</{name}>";

    /// <summary>The text, cut after so many tokens.</summary>
    public static string Cap(string text, int tokens) =>
        text.Length <= (long)tokens * CharactersPerToken ? text : text[..(tokens * CharactersPerToken)] + Cut;

    /// <summary>About how many tokens a text has.</summary>
    public static int TokensOf(string text) => (text.Length + CharactersPerToken - 1) / CharactersPerToken;

    /// <summary>About how many words so many tokens are: three for four of them.</summary>
    public static int WordsIn(int tokens) => Math.Max(1, tokens * 3 / 4);

    /// <summary>Values of an example, a line each, in the order of the fields.</summary>
    public static string Lines(FieldMap fields, int tokens) =>
        string.Join('\n', fields.Select(field => $"{field.Key}: {Cap(field.Value as string ?? JsonText.Write(field.Value), tokens)}"));

    /// <summary>Texts in numbered blocks, as many as fit; the first one always.</summary>
    public static string Blocks(string name, IEnumerable<string> texts, int tokens)
    {
        var all = new StringBuilder();
        foreach (var text in texts)
        {
            var block = Block(name, text);
            if (all.Length > 0 && all.Length + block.Length > (long)tokens * CharactersPerToken)
                break;
            all.Append(all.Length > 0 ? "\n" : "").Append(all.Length > 0 ? block : Cap(block, tokens));
        }

        return all.ToString();
    }

    /// <summary>Texts with their scores, the best one last; of more than fit, those with the lowest scores are left out.</summary>
    /// <param name="name">What the texts are.</param>
    /// <param name="bestFirst">The texts, the best first.</param>
    /// <param name="tokens">How much fits; the best one always does.</param>
    public static string Scored(string name, IEnumerable<(string Text, double Score)> bestFirst, int tokens)
    {
        var kept = new Stack<string>();
        var left = (long)tokens * CharactersPerToken;
        foreach (var (text, score) in bestFirst)
        {
            var shown = FormattableString.Invariant($"{Block(name, Cap(text, tokens))}\nScore: {score:0.###}");
            if (kept.Count > 0 && shown.Length > left)
                break;
            kept.Push(shown);
            left -= shown.Length;
        }

        return string.Join('\n', kept);
    }

    /// <summary>A proposed text without what models like to put around it: a label before it, quotes around it.</summary>
    public static string Clean(string text)
    {
        var label = Label().Match(text);
        if (label.Success && label.Length < text.Length)
            text = text[label.Length..];
        text = text.Trim();
        return text.Length > 2 && text[0] == '"' && text[^1] == '"' ? text[1..^1].Trim() : text;
    }

    // At most five words that speak of the instruction and end in a colon; "Given the question: …" is no label.
    [GeneratedRegex(@"^\s*[*#]*\s*(?:[\w'-]+\s+){0,4}?(?:instructions?|prompt)(?:\s+#?\d+)?\s*\**:\**\s*(?=\S)", RegexOptions.IgnoreCase)]
    private static partial Regex Label();
}
