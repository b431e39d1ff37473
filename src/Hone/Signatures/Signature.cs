using System.Collections.Immutable;
using System.Text;

namespace Hone;

/// <summary>What a step does: instructions and ordered, typed inputs and outputs. Immutable; every edit returns a new signature.</summary>
public sealed partial class Signature : IEquatable<Signature>
{
    /// <summary>Creates a signature.</summary>
    /// <param name="fields">Inputs and outputs; order within each direction is kept, inputs come first.</param>
    /// <param name="instructions">What to do; null gives a default sentence that names the fields, empty text stays empty.</param>
    /// <param name="name">A name for error messages and telemetry.</param>
    /// <exception cref="HoneException">
    /// A name is used twice, is not an identifier, an output is called <c>completed</c>, or a bound is of an unknown kind.
    /// </exception>
    public Signature(IEnumerable<SignatureField> fields, string? instructions = null, string name = "Signature")
    {
        ArgumentNullException.ThrowIfNull(fields);
        ArgumentNullException.ThrowIfNull(name);
        (Inputs, Outputs) = Split(fields as IReadOnlyCollection<SignatureField> ?? [.. fields]);
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
    public SignatureField? Find(string name)
    {
        foreach (var field in Fields)
        {
            if (field.Name == name)
                return field;
        }

        return null;
    }

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
        for (var i = 0; i < Fields.Length; i++)
        {
            var field = Fields[i];
            if (!NamingRules.IsIdentifier(field.Name))
            {
                throw new HoneException(
                    $"Signature '{Name}': '{field.Name}' is not a field name. Use letters, digits and underscores, not starting with a digit.");
            }

            if (IsTaken(field.Name, i))
                throw new HoneException($"Signature '{Name}' ({Shape}) has the field '{field.Name}' twice. Give each input and output its own name.");
            if (field is { Name: "completed", Direction: FieldDirection.Output })
            {
                throw new HoneException(
                    $"Signature '{Name}': an output cannot be called 'completed', the chat format ends with that marker. Rename it.");
            }

            foreach (var constraint in field.Constraints)
            {
                if (FieldConstraints.Refusal(constraint) is { } refusal)
                    throw new HoneException($"Signature '{Name}', field '{field.Name}': {refusal}");
            }
        }
    }

    // Signatures are small: looking back costs less than a set.
    private bool IsTaken(string name, int before)
    {
        for (var i = 0; i < before; i++)
        {
            if (Fields[i].Name == name)
                return true;
        }

        return false;
    }

    private static string JoinNames(IEnumerable<SignatureField> fields) => string.Join(", ", fields.Select(field => field.Name));

    private static (ImmutableArray<SignatureField> Inputs, ImmutableArray<SignatureField> Outputs) Split(IReadOnlyCollection<SignatureField> fields)
    {
        var inputs = ImmutableArray.CreateBuilder<SignatureField>(fields.Count);
        var outputs = ImmutableArray.CreateBuilder<SignatureField>(fields.Count);
        foreach (var field in fields)
            (field.Direction == FieldDirection.Input ? inputs : outputs).Add(field);
        return (inputs.DrainToImmutable(), outputs.DrainToImmutable());
    }

    private string DefaultInstructions()
    {
        var text = new StringBuilder();
        if (Inputs.IsEmpty)
            return AppendNames(text.Append("Produce "), Outputs).Append('.').ToString();
        if (Outputs.IsEmpty)
            return AppendNames(text.Append("Read "), Inputs).Append('.').ToString();
        AppendNames(text.Append("From "), Inputs);
        return AppendNames(text.Append(" produce "), Outputs).Append('.').ToString();
    }

    private static StringBuilder AppendNames(StringBuilder text, ImmutableArray<SignatureField> fields)
    {
        for (var i = 0; i < fields.Length; i++)
            text.Append(i > 0 ? ", `" : "`").Append(fields[i].Name).Append('`');
        return text;
    }
}
