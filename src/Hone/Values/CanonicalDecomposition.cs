using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Hone;

/// <summary>
/// Unicode normalisation form D. .NET's own needs ICU and leaves text as it is in invariant mode, so metrics would depend on the machine.
/// </summary>
internal static class CanonicalDecomposition
{
    // Hangul syllables decompose by arithmetic: The Unicode Standard, section 3.12.
    private const int FirstSyllable = 0xAC00, LastSyllable = 0xD7A3;
    private const int FirstLead = 0x1100, FirstVowel = 0x1161, TrailBase = 0x11A7;
    private const int Vowels = 21, Trails = 28;

    private static readonly Lazy<Tables> Data = new(Load);

    public static string Apply(string text)
    {
        // Nothing below U+00C0 decomposes or combines.
        if (text.AsSpan().IndexOfAnyInRange('\u00C0', '\uFFFF') < 0)
            return text;
        var runes = new List<Rune>(text.Length + 8);
        foreach (var rune in text.EnumerateRunes())
            Decompose(rune, runes);
        Reorder(runes);
        var result = new StringBuilder(runes.Count + 8);
        foreach (var rune in runes)
            result.Append(rune.ToString());
        return result.ToString();
    }

    private static void Decompose(Rune rune, List<Rune> output)
    {
        if (rune.Value is >= FirstSyllable and <= LastSyllable)
        {
            var index = rune.Value - FirstSyllable;
            output.Add(new Rune(FirstLead + (index / (Vowels * Trails))));
            output.Add(new Rune(FirstVowel + (index % (Vowels * Trails) / Trails)));
            if (index % Trails > 0)
                output.Add(new Rune(TrailBase + (index % Trails)));
        }
        else if (Data.Value.Decompositions.TryGetValue(rune.Value, out var parts))
        {
            output.AddRange(parts);
        }
        else
        {
            output.Add(rune);
        }
    }

    // Marks behind a base are sorted by combining class, equal classes keeping their order.
    private static void Reorder(List<Rune> runes)
    {
        for (var i = 1; i < runes.Count; i++)
        {
            var combiningClass = ClassOf(runes[i]);
            if (combiningClass == 0)
                continue;
            var rune = runes[i];
            var target = i;
            while (target > 0 && ClassOf(runes[target - 1]) > combiningClass)
            {
                runes[target] = runes[target - 1];
                target--;
            }

            runes[target] = rune;
        }
    }

    private static byte ClassOf(Rune rune) => Data.Value.Classes.GetValueOrDefault(rune.Value);

    private static Tables Load()
    {
        using var stream = typeof(CanonicalDecomposition).Assembly.GetManifestResourceStream("CanonicalDecomposition.txt")!;
        using var reader = new StreamReader(stream);
        var decompositions = new Dictionary<int, Rune[]>();
        var classes = new Dictionary<int, byte>();
        while (reader.ReadLine() is { } line)
        {
            var parts = line.Split(' ');
            if (parts[0] == "D")
                decompositions[Hex(parts[1])] = [.. parts[2..].Select(part => new Rune(Hex(part)))];
            else if (parts[0] == "C")
                AddClasses(classes, Hex(parts[1]), Hex(parts[2]), byte.Parse(parts[3], CultureInfo.InvariantCulture));
        }

        return new(decompositions.ToFrozenDictionary(), classes.ToFrozenDictionary());
    }

    private static void AddClasses(Dictionary<int, byte> classes, int first, int last, byte combiningClass)
    {
        for (var value = first; value <= last; value++)
            classes[value] = combiningClass;
    }

    private static int Hex(string text) => int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private sealed record Tables(FrozenDictionary<int, Rune[]> Decompositions, FrozenDictionary<int, byte> Classes);
}
