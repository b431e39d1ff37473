namespace Hone;

/// <content>Edits. Each returns a new signature and keeps everything else: name, instructions, other fields.</content>
public sealed partial class Signature
{
    /// <summary>Adds text below the instructions, separated by a blank line.</summary>
    public Signature AppendInstructions(string text) => WithInstructions(Instructions.Length == 0 ? text : $"{Instructions}\n\n{text}");

    /// <summary>Adds a field behind the others of its direction.</summary>
    /// <exception cref="HoneException">The name is taken.</exception>
    public Signature Append(SignatureField field) => Insert(-1, field);

    /// <summary>Adds a field before the others of its direction.</summary>
    /// <exception cref="HoneException">The name is taken.</exception>
    public Signature Prepend(SignatureField field) => Insert(0, field);

    /// <summary>Adds a field at a position among the fields of its own direction; negative counts from the end, -1 appends.</summary>
    /// <exception cref="HoneException">The position is out of range or the name is taken.</exception>
    public Signature Insert(int index, SignatureField field)
    {
        ArgumentNullException.ThrowIfNull(field);
        var (siblings, others) = field.Direction == FieldDirection.Input ? (Inputs, Outputs) : (Outputs, Inputs);
        var position = index < 0 ? index + siblings.Length + 1 : index;
        if (position < 0 || position > siblings.Length)
        {
            throw new HoneException(
                $"Signature '{Name}' ({Shape}): cannot insert '{field.Name}' at {index}; the {siblings.Length} "
                + $"{field.Direction.ToString().ToLowerInvariant()} fields allow {-siblings.Length - 1} to {siblings.Length}.");
        }

        return new Signature(siblings.Insert(position, field).AddRange(others), Instructions, Name);
    }

    /// <summary>Removes a field; a name that does not exist changes nothing.</summary>
    public Signature Delete(string name) => Find(name) is { } field ? new Signature(Fields.Remove(field), Instructions, Name) : this;

    /// <summary>Replaces one field by an edited copy, in place.</summary>
    /// <exception cref="HoneException">There is no such field, or the edit gives it a taken name.</exception>
    public Signature WithUpdatedField(string name, Func<SignatureField, SignatureField> edit)
    {
        ArgumentNullException.ThrowIfNull(edit);
        var field = Find(name) ?? throw new HoneException(
            $"Signature '{Name}' ({Shape}) has no field '{name}'. Its fields are: {string.Join(", ", Fields.Select(each => each.Name))}.");
        return new Signature(Fields.Replace(field, edit(field)), Instructions, Name);
    }

    /// <summary>The same fields and instructions under another name.</summary>
    public Signature WithName(string name) => new(Fields, Instructions, name);
}
