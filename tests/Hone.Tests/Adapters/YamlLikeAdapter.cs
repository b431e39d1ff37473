using System.Text;

namespace Hone.Tests.Adapters;

/// <summary>An adapter of a user's own, written with what the library offers to everybody: a line <c>name: value</c> a field, further lines indented.</summary>
public sealed class YamlLikeAdapter : PromptAdapter
{
    private const string Indent = "  ";

    public override string Name => nameof(YamlLikeAdapter);

    public override FieldMap Parse(Signature signature, string completion)
    {
        var texts = new Dictionary<string, string>();
        string? name = null;
        foreach (var line in completion.ReplaceLineEndings("\n").Split('\n'))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0 && signature.Outputs.Any(output => output.Name == line[..colon]))
                texts[name = line[..colon]] = line[(colon + 1)..];
            else if (name is not null)
                texts[name] += "\n" + (line.StartsWith(Indent, StringComparison.Ordinal) ? line[Indent.Length..] : line);
        }

        return ReadOutputs(signature, completion, texts.ToDictionary(entry => entry.Key, entry => entry.Value.Trim()));
    }

    public override string RenderOutputs(Signature signature, FieldMap outputs) =>
        string.Concat(signature.Outputs.Select(field => $"{OpeningOf(field.Name)}{Escape(FormatOutput(field, outputs))}{ClosingOf(field.Name)}"));

    protected override void WriteStructure(StringBuilder text, Signature signature)
    {
        text.Append("Write each field as `name: value`; indent the further lines of a value by two spaces.\n");
        foreach (var field in signature.Outputs)
            text.Append($"{OpeningOf(field.Name)}{{{HintFor(field) ?? "text"}}}{ClosingOf(field.Name)}");
    }

    protected override string Reminder(Signature signature) => $"Answer with {string.Join(", then ", signature.Outputs.Select(field => $"`{field.Name}:`"))}.";

    protected override string OpeningOf(string field) => $"{field}: ";

    protected override string ClosingOf(string field) => "\n";

    // A line of a value is indented, so it cannot open a field.
    protected override string Escape(string value) => value.ReplaceLineEndings("\n").Replace("\n", "\n" + Indent, StringComparison.Ordinal);
}
