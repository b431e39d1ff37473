using System.Globalization;
using System.Text;

namespace Hone;

/// <summary>The text normalisation behind <see cref="TextMetrics"/>; categories, not cultures, decide.</summary>
internal static class TextNormalizer
{
    private const string Punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

    public static string Normalize(string text) => Normalize(text, TextNormalization.Default);

    public static string Normalize(string text, TextNormalization options)
    {
        var folded = ToLower(CanonicalDecomposition.Apply(text));
        var kept = new StringBuilder(folded.Length);
        for (var i = 0; i < folded.Length; i++)
        {
            if (!IsDeleted(folded, i, options))
                kept.Append(folded[i]);
        }

        return CollapseBlanks(options.DropArticles ? DropArticles(kept.ToString()) : kept.ToString());
    }

    /// <summary>Runs of letters, digits and marks, or single other visible characters, lower-cased.</summary>
    public static string[] PassageTokens(string text)
    {
        var tokens = new List<string>();
        var normalized = CanonicalDecomposition.Apply(text);
        var start = -1;
        for (var i = 0; i < normalized.Length;)
        {
            Rune.DecodeFromUtf16(normalized.AsSpan(i), out var rune, out var length);
            var category = Rune.GetUnicodeCategory(rune);
            var isWord = IsLetterOrNumber(category) || IsMark(category);
            if (isWord && start < 0)
                start = i;
            if (!isWord)
            {
                Flush(i);
                if (!IsSeparatorOrControl(category))
                    tokens.Add(normalized[i..(i + length)]);
            }

            i += length;
        }

        Flush(normalized.Length);
        return [.. tokens.Select(ToLower)];

        void Flush(int end)
        {
            if (start >= 0)
                tokens.Add(normalized[start..end]);
            start = -1;
        }
    }

    private static bool IsDeleted(string text, int index, TextNormalization options)
    {
        var c = text[index];
        if (Punctuation.Contains(c, StringComparison.Ordinal))
            return true;
        if (c < 128 || !(options.FoldAccents || options.UnicodePunctuation))
            return false;

        // Half a pair is judged by the whole.
        var category = CharUnicodeInfo.GetUnicodeCategory(text, char.IsLowSurrogate(c) && index > 0 ? index - 1 : index);
        return category is UnicodeCategory.NonSpacingMark ? options.FoldAccents
            : options.UnicodePunctuation && category is >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation;
    }

    // Full lower-casing differs from the simple one in two places: dotted capital I (two characters) and the final sigma.
    private static string ToLower(string text)
    {
        var lower = text.Replace("\u0130", "i\u0307", StringComparison.Ordinal).ToLowerInvariant();
        if (!text.Contains('\u03A3', StringComparison.Ordinal))
            return lower;
        var source = text.Replace("\u0130", "i\u0307", StringComparison.Ordinal);
        var result = lower.ToCharArray();
        for (var i = 0; i < source.Length; i++)
        {
            if (source[i] == '\u03A3' && IsCased(source, i, -1) && !IsCased(source, i, 1))
                result[i] = '\u03C2';
        }

        return new string(result);
    }

    // True when the next character in that direction, marks and apostrophes skipped, is a letter.
    private static bool IsCased(string text, int index, int step)
    {
        for (var i = index + step; i >= 0 && i < text.Length; i += step)
        {
            if (IsMark(char.GetUnicodeCategory(text[i])) || text[i] is '\'' or '.' or ':' or '\u00B7' or '\u2019' or '\u00AD')
                continue;
            return char.GetUnicodeCategory(text[i]) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter
                or UnicodeCategory.TitlecaseLetter;
        }

        return false;
    }

    // A word is a run of letters and numbers; a combining mark ends it, so "thé" loses its "the".
    private static string DropArticles(string text)
    {
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length;)
        {
            var start = i;
            while (i < text.Length && IsWordAt(text, i, out var length))
                i += length;
            var word = text.AsSpan(start, i - start);
            if (word is "a" or "an" or "the")
                result.Append(' ');
            else
                result.Append(word);
            if (i < text.Length)
                result.Append(text[i++]);
        }

        return result.ToString();
    }

    private static bool IsWordAt(string text, int index, out int length)
    {
        Rune.DecodeFromUtf16(text.AsSpan(index), out var rune, out length);
        return IsLetterOrNumber(Rune.GetUnicodeCategory(rune)) || text[index] == '_';
    }

    private static string CollapseBlanks(string text)
    {
        var result = new StringBuilder(text.Length);
        var isPending = false;
        foreach (var c in text)
        {
            if (char.IsWhiteSpace(c) || c is >= '\u001C' and <= '\u001F')
            {
                isPending = result.Length > 0;
                continue;
            }

            if (isPending)
                result.Append(' ');
            isPending = false;
            result.Append(c);
        }

        return result.ToString();
    }

    private static bool IsLetterOrNumber(UnicodeCategory category) => category is <= UnicodeCategory.OtherLetter
        or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;

    private static bool IsMark(UnicodeCategory category) =>
        category is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;

    private static bool IsSeparatorOrControl(UnicodeCategory category) => category
        is UnicodeCategory.SpaceSeparator or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        or UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse
        or UnicodeCategory.OtherNotAssigned;
}
