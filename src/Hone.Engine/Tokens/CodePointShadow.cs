using System.Globalization;
using System.Text;

namespace Hone.Engine;

/// <summary>
/// A copy of a text in which every code point is one UTF-16 unit, so that an expression sees letters and digits above U+FFFF as what they are:
/// such a code point is replaced by a stand-in of its general category, a lone surrogate by U+FFFD (it becomes that in UTF-8 anyway).
/// </summary>
internal readonly struct CodePointShadow
{
    private static readonly char[] StandIns = BuildStandIns();

    private readonly int[] _offsets;

    private CodePointShadow(char[] units, int[] offsets)
    {
        Units = units;
        _offsets = offsets;
    }

    /// <summary>The copy, one unit per code point.</summary>
    public char[] Units { get; }

    /// <summary>Whether a text needs a copy at all.</summary>
    public static bool IsNeeded(ReadOnlySpan<char> text) => text.ContainsAnyInRange('\uD800', '\uDFFF');

    /// <summary>Where the code point with this index starts in the original, in UTF-16 units.</summary>
    public int OriginalOffset(int index) => _offsets[index];

    /// <summary>Makes the copy.</summary>
    public static CodePointShadow Of(ReadOnlySpan<char> text)
    {
        var units = new char[text.Length];
        var offsets = new int[text.Length + 1];
        var count = 0;
        for (var at = 0; at < text.Length;)
        {
            offsets[count] = at;
            var status = Rune.DecodeFromUtf16(text[at..], out var rune, out var consumed);
            units[count++] = status != System.Buffers.OperationStatus.Done ? '\uFFFD'
                : rune.IsBmp ? (char)rune.Value : StandIns[(int)Rune.GetUnicodeCategory(rune)];
            at += consumed;
        }
        offsets[count] = text.Length;
        Array.Resize(ref units, count);
        return new CodePointShadow(units, offsets);
    }

    // The highest character of each category below the surrogates or above them: unlikely to be named in an expression.
    private static char[] BuildStandIns()
    {
        var standIns = new char[Enum.GetValues<UnicodeCategory>().Length];
        for (var unit = 0; unit <= 0xFFFC; unit++)
        {
            var category = (int)char.GetUnicodeCategory((char)unit);
            if (unit is < 0xD800 or > 0xDFFF && !char.IsWhiteSpace((char)unit)) standIns[category] = (char)unit;
        }
        return standIns;
    }
}
