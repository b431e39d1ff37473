using System.Collections.Immutable;

namespace Hone;

/// <summary>What a step does: instructions and ordered, typed inputs and outputs. Immutable; every edit returns a new signature.</summary>
public sealed partial class Signature : IEquatable<Signature>
{
    /// <summary>Creates a signature.</summary>
    /// <param name="fields">Inputs and outputs; order within each direction is kept, inputs come first.</param>
    /// <param name="instructions">What to do; null gives a default sentence that names the fields, empty text stays empty.</param>
    /// <param name="name">A name for error messages and telemetry.</param>
    /// <exception cref="HoneException">A name is used twice, is not an identifier, or an output is called <c>completed</c>.</exception>
    public Signature(IEnumerable<SignatureField> fields, string? instructions = null, string name = "Signature")
    {
        var all = fields.ToImmutableArray();
        Inputs = [.. all.Where(field => field.Direction == FieldDirection.Input)];
        Outputs = [.. all.Where(field => field.Direction == FieldDirection.Output)];
        Fields = Inputs.AddRange(Outputs);
        Name = name;
        Validate();
        Instructions = instructions ?? DefaultInstructions();
    }

    /// <summary>Name for error messages and telemetry.</summary>
    public string Name { get; }

    /// <summary>What the model is asked to do.</summary>
    public string Instructions { get; }

    /// <summary>Inputs, then outputs.</summary>
    public ImmutableArray<SignatureField> Fields { get; }

    /// <summary>The fields given to the model.</summary>
    public ImmutableArray<SignatureField> Inputs { get; }

    /// <summary>The fields asked of the model.</summary>
    public ImmutableArray<SignatureField> Outputs { get; }

    /// <summary>The field of that name, or null.</summary>
    public SignatureField? Find(string name) => Fields.FirstOrDefault(field => field.Name == name);

    /// <summary>The shape without types: <c>question, context -> answer</c>.</summary>
    public string Shape => $"{JoinNames(Inputs)} -> {JoinNames(Outputs)}";

    /// <summary>The same fields under other instructions.</summary>
    public Signature WithInstructions(string instructions) => new(Fields, instructions, Name);

    /// <summary>Structural equality of instructions and fields; the name does not count.</summary>
    public bool Equals(Signature? other) => other is not null && Instructions == other.Instructions && Fields.SequenceEqual(other.Fields);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Signature);

    /// <inheritdoc/>
    public override int GetHashCode() => Fields.Aggregate(Instructions.GetHashCode(StringComparison.Ordinal), HashCode.Combine);

    private void Validate()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var field in Fields)
        {
            if (!IsIdentifier(field.Name))
            {
                throw new HoneException(
                    $"Signature '{Name}': '{field.Name}' is not a field name. Use letters, digits and underscores, not starting with a digit.");
            }

            if (!seen.Add(field.Name))
                throw new HoneException($"Signature '{Name}' ({Shape}) has the field '{field.Name}' twice. Give each input and output its own name.");
            if (field is { Name: "completed", Direction: FieldDirection.Output })
            {
                throw new HoneException(
                    $"Signature '{Name}': an output cannot be called 'completed', the chat format ends with that marker. Rename it.");
            }
        }
    }

    private static string JoinNames(IEnumerable<SignatureField> fields) => string.Join(", ", fields.Select(field => field.Name));

    private static bool IsIdentifier(string name) =>
        name.Length > 0 && (char.IsLetter(name[0]) || name[0] == '_') && name.All(c => char.IsLetterOrDigit(c) || c == '_');

    private string DefaultInstructions()
    {
        static string Names(IEnumerable<SignatureField> fields) => string.Join(", ", fields.Select(field => $"`{field.Name}`"));
        return Inputs.IsEmpty ? $"Produce {Names(Outputs)}."
            : Outputs.IsEmpty ? $"Read {Names(Inputs)}."
            : $"From {Names(Inputs)} produce {Names(Outputs)}.";
    }
}
