using System.Text;

namespace Hone;

/// <summary>
/// For models that think well and format badly: the model answers in prose, then a second call reads the fields out of that answer. Demos,
/// conversations, media and tools work as with the other adapters; the cost of both calls is in the trace.
/// </summary>
public sealed class TwoStepAdapter : PromptAdapter
{
    private const string TextField = "text";

    /// <summary>Creates an adapter.</summary>
    /// <param name="extractor">The model that reads the fields out; null asks the answering model again.</param>
    /// <param name="extraction">The format of the second call; the chat format when null.</param>
    public TwoStepAdapter(LM? extractor = null, Adapter? extraction = null)
    {
        Extractor = extractor;
        Extraction = extraction ?? ChatAdapter.Default;
    }

    /// <summary>The model that reads the fields out of the first answer; null for the one that gave it.</summary>
    public LM? Extractor { get; }

    /// <summary>The format of the second call.</summary>
    public Adapter Extraction { get; }

    /// <inheritdoc/>
    public override string Name => nameof(TwoStepAdapter);

    /// <summary>Reads what the second call answers, in its format.</summary>
    public override FieldMap Parse(Signature signature, string completion) => Extraction.Parse(signature, completion);

    /// <inheritdoc/>
    public override string RenderOutputs(Signature signature, FieldMap outputs)
    {
        ArgumentNullException.ThrowIfNull(signature);
        return string.Join("\n\n", signature.Outputs.Select(field => $"{field.Name}: {FormatOutput(field, outputs)}"));
    }

    /// <inheritdoc/>
    public override AdapterFollowUp? FollowUpFor(Signature signature, string completion)
    {
        ArgumentNullException.ThrowIfNull(signature);
        if (signature.Outputs.IsEmpty || string.IsNullOrWhiteSpace(completion))
            return null;
        var text = new SignatureField(FreeName(signature), FieldType.String, FieldDirection.Input) { Description = "an answer in prose" };
        var names = string.Join(", ", signature.Outputs.Select(field => $"`{field.Name}`"));
        var instructions =
            $"The text is the answer to a task and holds everything that {names} need. Take each of them out of it, precisely and in its own words; "
            + $"add nothing of your own.{(signature.Instructions.Length > 0 ? $"\n\nThe task was:\n{signature.Instructions}" : string.Empty)}";
        var request = new Signature([text, .. signature.Outputs], instructions, signature.Name);
        return new(Extractor, Extraction, new(request, FieldMap.Of((text.Name, completion)), []));
    }

    /// <inheritdoc/>
    protected override void WriteStructure(StringBuilder text, Signature signature)
    {
        ArgumentNullException.ThrowIfNull(text);
        text.Append(
            "Answer in your own words. Lay out every output field by its name and in full, so that somebody who sees nothing but your answer can fill the fields in.");
    }

    /// <inheritdoc/>
    protected override string Reminder(Signature signature) => string.Empty;

    /// <inheritdoc/>
    protected override string OpeningOf(string field) => $"{field}: ";

    /// <inheritdoc/>
    protected override string ClosingOf(string field) => "\n\n";

    private static string FreeName(Signature signature)
    {
        var name = TextField;
        while (signature.Outputs.Any(field => field.Name == name))
            name = $"answer_{name}";
        return name;
    }
}
