using System.Text;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>
/// A message under construction: text, and between it the parts that are no text. Parts are added as objects, never as marks inside the text, so no
/// value can forge one.
/// </summary>
/// <param name="escape">Makes the markers of a format harmless inside a value; null when the format needs no such care.</param>
internal sealed class PromptText(Func<string, string>? escape = null)
{
    // Longer buffers are given up after use.
    private const int LongestKept = 16 * 1024;

    [ThreadStatic]
    private static PromptText? spare;

    private readonly StringBuilder text = new(256);
    private Func<string, string>? escape = escape;

    // Finished stretches: text, or a part with the label that stands for it in plain text.
    private List<(string Text, AIContent? Part)>? finished;

    // Parts of values inside lists and objects, waiting for the end of the field.
    private List<(string Label, AIContent Part)>? nested;

    private Dictionary<string, int>? counts;

    /// <summary>An empty text that <see cref="ReturnContents"/> gives back for the next one.</summary>
    public static PromptText Rent(Func<string, string> escape)
    {
        var rented = spare ?? new();
        spare = null;
        rented.escape = escape;
        return rented;
    }

    /// <summary>As <see cref="ToContents"/>, empty when nothing was appended; the text must not be used any more.</summary>
    public IList<AIContent> ReturnContents()
    {
        var contents = IsEmpty ? [] : ToContents();
        text.Clear();
        (finished, nested, counts) = (null, null, null);
        if (text.Capacity <= LongestKept)
            spare = this;
        return contents;
    }

    /// <summary>True when nothing was appended.</summary>
    public bool IsEmpty => text.Length == 0 && finished is null;

    /// <summary>The text since the last part, for writers that append to it.</summary>
    internal StringBuilder Builder => text;

    public PromptText Append(string? value)
    {
        text.Append(value);
        return this;
    }

    public PromptText Append(ReadOnlySpan<char> value)
    {
        text.Append(value);
        return this;
    }

    public PromptText Append(char value)
    {
        text.Append(value);
        return this;
    }

    public PromptText Append(int value)
    {
        text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{value}");
        return this;
    }

    /// <summary>Appends text that comes from a value: markers in it are made harmless.</summary>
    public PromptText AppendValue(string value) => Append(escape is null ? value : escape(value));

    /// <summary>Makes markers harmless in what was appended to <see cref="Builder"/> since it had this length.</summary>
    internal void EscapeFrom(int start)
    {
        if (escape is null)
            return;
        var value = text.ToString(start, text.Length - start);
        var escaped = escape(value);
        if (ReferenceEquals(escaped, value))
            return;
        text.Length = start;
        text.Append(escaped);
    }

    /// <summary>Appends a value that is no text.</summary>
    /// <param name="media">The value.</param>
    /// <param name="isNested">
    /// False puts its part where the text has come to; true puts a label such as <c>[image #1]</c> there, and the part behind the field, when
    /// <see cref="EndField"/> is called.
    /// </param>
    public void AppendMedia(Media media, bool isNested)
    {
        if (isNested)
        {
            text.Append(AddNested(media.Kind, ContentsOf(media)));
            return;
        }

        foreach (var part in ContentsOf(media))
            AppendPart(part, media.Kind);
    }

    /// <summary>Appends parts where the text has come to; parts of text become text.</summary>
    public void AppendContents(IEnumerable<AIContent> parts, string kind)
    {
        foreach (var part in parts)
            AppendPart(part, kind);
    }

    /// <summary>The text that stands for a value inside JSON; what is no text follows behind the field.</summary>
    public string AddNested(object value)
    {
        if (value is Media media)
            return AddNested(media.Kind, ContentsOf(media));
        var custom = PromptType.Of(value.GetType())!;
        var parts = custom.Show(value).ToList();
        return parts.TrueForAll(part => part is TextContent)
            ? string.Concat(parts.Select(part => ((TextContent)part).Text))
            : AddNested(custom.Name, parts);
    }

    /// <summary>Appends the parts of values nested in the field that ends here.</summary>
    public void EndField()
    {
        if (nested is null)
            return;
        foreach (var (label, part) in nested)
        {
            if (part is TextContent { Text: var more })
                AppendValue($"\n{label} {more}");
            else
                AddPart(part, string.Empty);
        }

        nested = null;
    }

    /// <summary>The parts of the message, blanks trimmed at both ends; one text when there is nothing else.</summary>
    public IList<AIContent> ToContents()
    {
        if (finished is null)
            return [new TextContent(text.ToString().Trim())];
        var contents = new List<AIContent>(finished.Count + 1);
        foreach (var (stretch, part) in finished)
        {
            var trimmed = contents.Count == 0 ? stretch.TrimStart() : stretch;
            if (part is not null)
                contents.Add(part);
            else if (trimmed.Length > 0)
                contents.Add(new TextContent(trimmed));
        }

        var last = text.ToString().TrimEnd();
        if (last.Length > 0)
            contents.Add(new TextContent(last));
        return contents;
    }

    /// <summary>The text, a label such as <c>[image #1]</c> for each part that is none.</summary>
    public override string ToString() => finished is null ? text.ToString()
        : string.Concat(finished.Select(stretch => stretch.Text)) + text;

    private static IEnumerable<AIContent> ContentsOf(Media media)
    {
        if (media is Document { Title: { } title })
            yield return new TextContent($"Title: {title}\n");
        if (media is Document { Context: { } context })
            yield return new TextContent($"Context: {context}\n");
        yield return media.Content;
    }

    private string AddNested(string kind, IEnumerable<AIContent> parts)
    {
        var label = Label(kind);
        foreach (var part in parts)
            (nested ??= []).Add((label, part));
        return label;
    }

    private void AppendPart(AIContent part, string kind)
    {
        if (part is TextContent { Text: var value })
            AppendValue(value);
        else
            AddPart(part, Label(kind));
    }

    private void AddPart(AIContent part, string label)
    {
        finished ??= [];
        if (text.Length > 0)
            finished.Add((text.ToString(), null));
        text.Clear();
        finished.Add((label, part));
    }

    private string Label(string kind)
    {
        counts ??= [];
        var count = counts[kind] = counts.GetValueOrDefault(kind) + 1;
        return string.Create(System.Globalization.CultureInfo.InvariantCulture, $"[{kind} #{count}]");
    }
}
