using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Hone.Engine;

/// <summary>A run of UTF-16 units that is encoded on its own: merges never cross its ends.</summary>
internal readonly record struct TextPiece(string Text, int Start, int Length)
{
    public ReadOnlySpan<char> Span => Text.AsSpan(Start, Length);
}

/// <summary>One step of splitting text into pieces before byte-pair merges.</summary>
internal abstract class PreTokenizer
{
    /// <summary>Appends the pieces of one piece, in order; empty pieces are left out.</summary>
    public abstract void Split(TextPiece piece, List<TextPiece> output);

    /// <summary>Appends every match and every stretch between matches as pieces of their own ("Isolated").</summary>
    protected static void Isolate(TextPiece piece, Regex expression, List<TextPiece> output)
    {
        if (CodePointShadow.IsNeeded(piece.Span))
        {
            var shadow = CodePointShadow.Of(piece.Span);
            var from = 0;
            foreach (var match in expression.EnumerateMatches(shadow.Units))
            {
                var start = shadow.OriginalOffset(match.Index);
                var end = shadow.OriginalOffset(match.Index + match.Length);
                AddMatch(piece, ref from, start, end, output);
            }
            AddMatch(piece, ref from, piece.Length, piece.Length, output);
            return;
        }
        var next = 0;
        foreach (var match in expression.EnumerateMatches(piece.Span))
            AddMatch(piece, ref next, match.Index, match.Index + match.Length, output);
        AddMatch(piece, ref next, piece.Length, piece.Length, output);
    }

    private static void AddMatch(TextPiece piece, ref int next, int start, int end, List<TextPiece> output)
    {
        if (start > next) output.Add(piece with { Start = piece.Start + next, Length = start - next });
        if (end > start) output.Add(piece with { Start = piece.Start + start, Length = end - start });
        next = end;
    }
}

/// <summary>Splits with an expression; every match is a piece.</summary>
internal sealed class SplitPreTokenizer(Regex expression) : PreTokenizer
{
    public override void Split(TextPiece piece, List<TextPiece> output) => Isolate(piece, expression, output);
}

/// <summary>The ByteLevel step: an optional space in front, then the GPT-2 expression unless an earlier step did the splitting.</summary>
internal sealed class ByteLevelPreTokenizer(bool addPrefixSpace, bool useExpression) : PreTokenizer
{
    public override void Split(TextPiece piece, List<TextPiece> output)
    {
        if (piece.Length == 0) return;
        if (addPrefixSpace && piece.Span[0] != ' ')
        {
            var prefixed = string.Concat(" ", piece.Span);
            piece = new TextPiece(prefixed, 0, prefixed.Length);
        }
        if (useExpression) Isolate(piece, SplitPatterns.ByteLevel(), output);
        else output.Add(piece);
    }
}

/// <summary>Separates numeric characters (Nd, Nl, No) from the rest, one by one or as runs.</summary>
internal sealed class DigitsPreTokenizer(bool individual) : PreTokenizer
{
    public override void Split(TextPiece piece, List<TextPiece> output)
    {
        int start = 0, at = 0;
        var inDigits = false;
        while (at < piece.Length)
        {
            Rune.DecodeFromUtf16(piece.Span[at..], out var rune, out var consumed);
            var digit = Rune.GetUnicodeCategory(rune)
                is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber;
            if (at > start && (digit != inDigits || (digit && individual)))
            {
                output.Add(piece with { Start = piece.Start + start, Length = at - start });
                start = at;
            }
            inDigits = digit;
            at += consumed;
        }
        if (at > start) output.Add(piece with { Start = piece.Start + start, Length = at - start });
    }
}

/// <summary>Steps one after another.</summary>
internal sealed class PreTokenizerSequence(IReadOnlyList<PreTokenizer> steps) : PreTokenizer
{
    public override void Split(TextPiece piece, List<TextPiece> output)
    {
        var pieces = new List<TextPiece> { piece };
        for (var i = 0; i < steps.Count; i++)
        {
            var next = i == steps.Count - 1 ? output : new List<TextPiece>(pieces.Count * 2);
            foreach (var part in pieces) steps[i].Split(part, next);
            pieces = next;
        }
    }
}
