using System.Globalization;
using System.Text;

namespace Hone.Engine;

/// <summary>
/// Unicode normalization form C. The runtime's own <see cref="string.Normalize()"/> does nothing in globalization-invariant programs,
/// and ids must not depend on how the host program was published.
/// </summary>
internal static class CanonicalComposition
{
    private const int HangulFirst = 0xAC00, LeadFirst = 0x1100, VowelFirst = 0x1161, TrailFirst = 0x11A7;
    private const int LeadCount = 19, VowelCount = 21, TrailCount = 28, HangulCount = LeadCount * VowelCount * TrailCount;

    private static readonly Lazy<Tables> Data = new(Load);

    /// <summary>The text in form C; the same instance when nothing changes.</summary>
    public static string Normalize(string text)
    {
        // Everything below U+0300 is composed already and starts no composition with what precedes it.
        if (!text.AsSpan().ContainsAnyExceptInRange('\0', '\u02FF')) return text;
        var tables = Data.Value;
        var points = new List<(int Point, byte Class)>(text.Length);
        foreach (var rune in text.EnumerateRunes()) Decompose(rune.Value, points, tables);
        Reorder(points);
        Compose(points, tables);
        var result = new StringBuilder(text.Length);
        Span<char> units = stackalloc char[2];
        foreach (var (point, _) in points) result.Append(units[..new Rune(point).EncodeToUtf16(units)]);
        return result.Equals(text) ? text : result.ToString();
    }

    private static void Decompose(int point, List<(int Point, byte Class)> output, Tables tables)
    {
        var syllable = point - HangulFirst;
        if (syllable is >= 0 and < HangulCount)
        {
            output.Add((LeadFirst + syllable / (VowelCount * TrailCount), 0));
            output.Add((VowelFirst + syllable % (VowelCount * TrailCount) / TrailCount, 0));
            if (syllable % TrailCount != 0) output.Add((TrailFirst + syllable % TrailCount, 0));
        }
        else if (tables.Decompositions.TryGetValue(point, out var parts))
        {
            Decompose(parts.First, output, tables);
            if (parts.Second != 0) Decompose(parts.Second, output, tables);
        }
        else
        {
            output.Add((point, tables.Classes.GetValueOrDefault(point)));
        }
    }

    // Each run of combining marks is sorted by class, marks of one class stay in order.
    private static void Reorder(List<(int Point, byte Class)> points)
    {
        for (var start = 0; start < points.Count; start++)
        {
            if (points[start].Class == 0) continue;
            var end = start + 1;
            while (end < points.Count && points[end].Class != 0) end++;
            if (end - start > 1)
            {
                var sorted = points.GetRange(start, end - start).OrderBy(mark => mark.Class).ToArray();
                for (var i = 0; i < sorted.Length; i++) points[start + i] = sorted[i];
            }
            start = end;
        }
    }

    private static void Compose(List<(int Point, byte Class)> points, Tables tables)
    {
        var starter = -1;
        var kept = 0;
        var lastClass = -1;
        for (var i = 0; i < points.Count; i++)
        {
            var (point, markClass) = points[i];
            // A mark is blocked from its starter by a kept mark of an equal or higher class.
            if (starter >= 0 && lastClass < markClass && TryCompose(points[starter].Point, point, tables, out var composite))
            {
                points[starter] = (composite, 0);
                continue;
            }
            points[kept] = (point, markClass);
            if (markClass == 0) starter = kept;
            lastClass = markClass == 0 ? -1 : markClass;
            kept++;
        }
        points.RemoveRange(kept, points.Count - kept);
    }

    private static bool TryCompose(int first, int second, Tables tables, out int composite)
    {
        int lead = first - LeadFirst, vowel = second - VowelFirst, syllable = first - HangulFirst, trail = second - TrailFirst;
        if (lead is >= 0 and < LeadCount && vowel is >= 0 and < VowelCount)
        {
            composite = HangulFirst + (lead * VowelCount + vowel) * TrailCount;
            return true;
        }
        if (syllable is >= 0 and < HangulCount && syllable % TrailCount == 0 && trail is > 0 and < TrailCount)
        {
            composite = first + trail;
            return true;
        }
        return tables.Compositions.TryGetValue((first, second), out composite);
    }

    private static Tables Load()
    {
        const string resource = "Hone.Engine.Tokens.CanonicalComposition.txt";
        using var stream = typeof(CanonicalComposition).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"The embedded resource '{resource}' is missing from Hone.Engine.dll; rebuild the package.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        var tables = new Tables([], [], []);
        var section = "";
        while (reader.ReadLine() is { } line)
        {
            if (line.StartsWith('#')) continue;
            if (line.StartsWith('@')) section = line[1..];
            else foreach (var entry in line.Split(' ', StringSplitOptions.RemoveEmptyEntries)) tables.Add(section, entry);
        }
        return tables;
    }

    private sealed record Tables(
        Dictionary<int, (int First, int Second)> Decompositions, Dictionary<(int First, int Second), int> Compositions, Dictionary<int, byte> Classes)
    {
        public void Add(string section, string entry)
        {
            var numbers = entry.Split('-', '=', '+')
                .Select(digits => int.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture)).ToArray();
            if (section == "class")
            {
                for (var point = numbers[0]; point <= numbers[1]; point++) Classes[point] = (byte)numbers[2];
                return;
            }
            Decompositions[numbers[0]] = (numbers[1], section == "single" ? 0 : numbers[2]);
            if (section == "pair") Compositions[(numbers[1], numbers[2])] = numbers[0];
        }
    }
}
