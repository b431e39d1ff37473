using System.Text;

namespace Hone.Optimizers;

/// <summary>Records as text for a reflecting model. Values stand in fences that they cannot close; pictures are labelled and collected.</summary>
internal sealed class ReflectionText
{
    private const int CharactersPerToken = 4;
    private readonly StringBuilder text = new();
    private readonly List<Image> images = [];
    private int others;

    private ReflectionText()
    {
    }

    /// <summary>The records, those with the lowest scores first when not all fit; shown in the order given.</summary>
    /// <param name="records">The records.</param>
    /// <param name="maxTokens">What fits, counted as a quarter of the characters.</param>
    public static (string Text, IReadOnlyList<Image> Images) Of(IReadOnlyList<ReflectionRecord> records, int maxTokens)
    {
        var room = (long)maxTokens * CharactersPerToken;
        var kept = new SortedSet<int>();
        foreach (var i in Enumerable.Range(0, records.Count).OrderBy(i => records[i].Score))
        {
            var length = new ReflectionText().Append(records[i], 1).text.Length;
            if (length > room && kept.Count > 0)
                continue;
            kept.Add(i);
            room -= length;
        }

        var all = new ReflectionText();
        var number = 0;
        foreach (var i in kept)
            all.Append(records[i], ++number);
        var most = maxTokens * (long)CharactersPerToken;
        if (all.text.Length > most)
            all.text.Length = (int)most - (char.IsHighSurrogate(all.text[(int)most - 1]) ? 1 : 0);
        return (all.text.ToString().TrimEnd(), all.images);
    }

    /// <summary>How many characters so many tokens are taken for.</summary>
    public static int CharactersOf(int tokens) => (int)Math.Min(int.MaxValue, tokens * (long)CharactersPerToken);

    /// <summary>True when a text has more tokens, counted as a quarter of its characters.</summary>
    public static bool IsLonger(string text, int? tokens) => tokens is { } most && text.Length > (long)most * CharactersPerToken;

    private ReflectionText Append(ReflectionRecord record, int number)
    {
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"# Example {number}\n");
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"Score: {record.Score:0.###}\n");
        Section("Inputs", record.Inputs);
        if (record.Outputs is not null)
            Section("Outputs", record.Outputs);
        else
            Value("## Output, which could not be read", record.RawText);
        foreach (var (path, outputs) in record.OtherSteps)
            Section($"Elsewhere in the run, {path} answered", outputs);
        Value("## Feedback", record.Feedback);
        text.Append('\n');
        return this;
    }

    private void Section(string title, FieldMap fields)
    {
        text.Append("## ").Append(title).Append('\n');
        foreach (var (name, value) in fields)
            Value("### " + name, value);
    }

    private void Value(string title, object? value)
    {
        var shown = new StringBuilder();
        if (value is string plain)
            shown.Append(plain);
        else if (value is Media media)
            shown.Append(Label(media));
        else
            JsonText.Write(shown, value, Label);
        var content = shown.ToString().Trim();
        var fence = new string('~', Math.Max(3, LongestRun(content) + 1));
        text.Append(title).Append('\n').Append(fence).Append('\n').Append(content).Append('\n').Append(fence).Append('\n');
    }

    // As pictures in a list are labelled in prompts: the label here is the label there.
    private string Label(object value)
    {
        if (value is not Image image)
            return FormattableString.Invariant($"[{(value as Media)?.Kind ?? value.GetType().Name} {++others}, not shown]");
        images.Add(image);
        return FormattableString.Invariant($"[image #{images.Count}]");
    }

    private static int LongestRun(string content)
    {
        var (longest, run) = (0, 0);
        foreach (var character in content)
        {
            run = character == '~' ? run + 1 : 0;
            longest = Math.Max(longest, run);
        }

        return longest;
    }
}
