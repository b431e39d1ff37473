using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;

namespace Hone.Reinforcement;

/// <summary>How a string is compared.</summary>
public enum OpenAIStringOperation
{
    /// <summary>Equal.</summary>
    Eq,

    /// <summary>Different.</summary>
    Ne,

    /// <summary>Contains.</summary>
    Like,

    /// <summary>Contains, whatever the case.</summary>
    ILike,
}

/// <summary>
/// What scores answers on OpenAI's side: a metric in its terms. Texts may hold templates: <c>{{item.answer}}</c> is a reference field of the data set,
/// <c>{{sample.output_text}}</c> the answer.
/// </summary>
public abstract record OpenAIGrader
{
    private static readonly string[] Similarities =
        ["cosine", "fuzzy_match", "bleu", "gleu", "meteor", "rouge_1", "rouge_2", "rouge_3", "rouge_4", "rouge_5", "rouge_l"];

    private protected OpenAIGrader(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        Name = name;
    }

    /// <summary>Name of the grader.</summary>
    public string Name { get; }

    /// <summary>1 when two texts compare as asked, else 0.</summary>
    public static OpenAIGrader StringCheck(string name, string input, string reference, OpenAIStringOperation operation = OpenAIStringOperation.Eq) =>
        new Simple(name, "string_check", ("input", input), ("reference", reference), ("operation", operation.ToString().ToLowerInvariant()));

    /// <summary>How alike two texts are.</summary>
    /// <param name="name">Name of the grader.</param>
    /// <param name="input">The text, usually <c>{{sample.output_text}}</c>.</param>
    /// <param name="reference">What it is compared with.</param>
    /// <param name="metric">One of cosine, fuzzy_match, bleu, gleu, meteor, rouge_1 to rouge_5, rouge_l.</param>
    /// <exception cref="ArgumentException">There is no such metric.</exception>
    public static OpenAIGrader TextSimilarity(string name, string input, string reference, string metric = "fuzzy_match") => Similarities.Contains(metric)
        ? new Simple(name, "text_similarity", ("input", input), ("reference", reference), ("evaluation_metric", metric))
        : throw new ArgumentException($"'{metric}' is no metric of similarity: use one of {string.Join(", ", Similarities)}.", nameof(metric));

    /// <summary>A Python program with a function <c>grade(sample, item)</c> that returns a number.</summary>
    public static OpenAIGrader Python(string name, string source, string? imageTag = null) =>
        new Simple(name, "python", imageTag is null ? [("source", source)] : [("source", source), ("image_tag", imageTag)]);

    /// <summary>
    /// 1 when an output field of the answer equals the reference field of its name, else 0. Reads the chat format and JSON, whatever stands around the
    /// value.
    /// </summary>
    public static OpenAIGrader FieldEquals(string field)
    {
        if (string.IsNullOrEmpty(field) || !field.All(character => char.IsAsciiLetterOrDigit(character) || character == '_'))
            throw new ArgumentException($"'{field}' is no field name: use letters, digits and underscores.", nameof(field));
        return Python($"{field}_equals", string.Create(CultureInfo.InvariantCulture, $$"""
            import json, re

            def value_of(text):
                marked = re.search(r"\[\[ ## {{field}} ## \]\](.*?)(?=\[\[ ## |\Z)", text, re.S)
                if marked:
                    return marked.group(1)
                try:
                    return json.loads(text[text.index("{"):text.rindex("}") + 1]).get("{{field}}")
                except ValueError:
                    return None

            def plain(value):
                return " ".join(str(value).split()).casefold()

            def grade(sample, item):
                value = value_of(sample["output_text"])
                return 1.0 if value is not None and plain(value) == plain(item["{{field}}"]) else 0.0

            """));
    }

    /// <summary>Another model judges the answer.</summary>
    /// <param name="name">Name of the grader.</param>
    /// <param name="model">The judge.</param>
    /// <param name="input">What it is asked, with templates.</param>
    /// <param name="low">Lowest score.</param>
    /// <param name="high">Highest score.</param>
    /// <param name="temperature">The judge's temperature; null leaves it to the service. 0 makes the least noise, where the model takes it.</param>
    /// <exception cref="ArgumentException">The range is empty, or nothing is asked.</exception>
    public static OpenAIGrader ScoreModel(
        string name, string model, IReadOnlyList<(string Role, string Content)> input, double low = 0, double high = 1, double? temperature = null)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(low, high);
        return new Judge(name, model, Asked(input)) { Range = (low, high), Temperature = temperature };
    }

    /// <summary>Another model chooses one of several labels: 1 for those that pass, 0 for the others. Part of a <see cref="Multi"/> only: the service takes no other use.</summary>
    /// <param name="name">Name of the grader.</param>
    /// <param name="model">The judge.</param>
    /// <param name="input">What it is asked, with templates.</param>
    /// <param name="labels">What it chooses between.</param>
    /// <param name="passing">Those of the labels that pass.</param>
    /// <exception cref="ArgumentException">A passing label is none of the labels, none passes, or nothing is asked.</exception>
    public static OpenAIGrader LabelModel(
        string name, string model, IReadOnlyList<(string Role, string Content)> input, IReadOnlyList<string> labels, IReadOnlyList<string> passing)
    {
        ArgumentNullException.ThrowIfNull(labels);
        ArgumentNullException.ThrowIfNull(passing);
        if (passing.Count == 0 || passing.Except(labels).Any())
            throw new ArgumentException($"The passing labels must be some of {string.Join(", ", labels)}; they are: {string.Join(", ", passing)}.", nameof(passing));
        return new Judge(name, model, Asked(input)) { Labels = [.. labels], Passing = [.. passing] };
    }

    /// <summary>Several graders and how their scores make one.</summary>
    /// <param name="name">Name of the grader.</param>
    /// <param name="formula">Arithmetic over the parts' names, e.g. <c>0.8 * exact + 0.2 * style</c>.</param>
    /// <param name="parts">The graders; their names must differ.</param>
    public static OpenAIGrader Multi(string name, string formula, params IReadOnlyList<OpenAIGrader> parts) =>
        parts.Select(part => part.Name).Distinct(StringComparer.Ordinal).Count() == parts.Count
            ? new Sum(name, formula, [.. parts])
            : throw new ArgumentException("The parts of a multi grader need names of their own.", nameof(parts));

    /// <summary>True when the service takes the grader as a part of others only.</summary>
    internal virtual bool IsPartOnly => false;

    internal abstract void Write(Utf8JsonWriter writer);

    private static ImmutableArray<(string Role, string Content)> Asked(IReadOnlyList<(string Role, string Content)> input) => input is { Count: > 0 }
        ? [.. input]
        : throw new ArgumentException("The judge must be asked something: pass a message.", nameof(input));

    private sealed record Simple : OpenAIGrader
    {
        private readonly string type;
        private readonly ImmutableArray<(string Name, string Value)> members;

        public Simple(string name, string type, params ReadOnlySpan<(string Name, string Value)> members) : base(name) => (this.type, this.members) = (type, [.. members]);

        internal override void Write(Utf8JsonWriter writer)
        {
            writer.WriteStartObject();
            writer.WriteString("type", type);
            writer.WriteString("name", Name);
            foreach (var (name, value) in members)
                writer.WriteString(name, value);
            writer.WriteEndObject();
        }
    }

    private sealed record Judge(string GraderName, string Model, ImmutableArray<(string Role, string Content)> Input) : OpenAIGrader(GraderName)
    {
        public (double Low, double High) Range { get; init; }

        public double? Temperature { get; init; }

        public ImmutableArray<string> Labels { get; init; } = [];

        public ImmutableArray<string> Passing { get; init; } = [];

        internal override bool IsPartOnly => !Labels.IsEmpty;

        internal override void Write(Utf8JsonWriter writer)
        {
            writer.WriteStartObject();
            writer.WriteString("type", IsPartOnly ? "label_model" : "score_model");
            writer.WriteString("name", Name);
            writer.WriteString("model", Model);
            writer.WriteStartArray("input");
            foreach (var (role, content) in Input)
            {
                writer.WriteStartObject();
                writer.WriteString("role", role);
                writer.WriteString("content", content);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            if (IsPartOnly)
            {
                WriteTexts(writer, "labels", Labels);
                WriteTexts(writer, "passing_labels", Passing);
            }
            else
                WriteScoring(writer);
            writer.WriteEndObject();
        }

        private void WriteScoring(Utf8JsonWriter writer)
        {
            writer.WriteStartArray("range");
            writer.WriteNumberValue(Range.Low);
            writer.WriteNumberValue(Range.High);
            writer.WriteEndArray();
            if (Temperature is not { } temperature)
                return;
            writer.WriteStartObject("sampling_params");
            writer.WriteNumber("temperature", temperature);
            writer.WriteEndObject();
        }

        private static void WriteTexts(Utf8JsonWriter writer, string name, ImmutableArray<string> texts)
        {
            writer.WriteStartArray(name);
            foreach (var text in texts)
                writer.WriteStringValue(text);
            writer.WriteEndArray();
        }
    }

    private sealed record Sum(string GraderName, string Formula, ImmutableArray<OpenAIGrader> Parts) : OpenAIGrader(GraderName)
    {
        internal override void Write(Utf8JsonWriter writer)
        {
            writer.WriteStartObject();
            writer.WriteString("type", "multi");
            writer.WriteString("name", Name);
            writer.WriteStartObject("graders");
            foreach (var part in Parts)
            {
                writer.WritePropertyName(part.Name);
                part.Write(writer);
            }

            writer.WriteEndObject();
            writer.WriteString("calculate_output", Formula);
            writer.WriteEndObject();
        }
    }
}
