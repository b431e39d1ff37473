namespace Hone;

/// <summary>A piece of one output field, read while the completion was still arriving.</summary>
/// <param name="Field">Name of the output.</param>
/// <param name="Text">The next characters of its text; may be empty when only the end is told.</param>
/// <param name="IsLast">True for the field's last piece.</param>
public readonly record struct FieldChunk(string Field, string Text, bool IsLast);

/// <summary>
/// Reads output fields out of a completion as it arrives, however it is cut into pieces. The joined pieces of a text field are what
/// <see cref="Adapter.Parse"/> gives for it; pieces of other fields are the text that their value is read from.
/// </summary>
public abstract class FieldStreamReader
{
    /// <summary>Takes the next characters of the completion and adds what they tell for certain.</summary>
    public abstract void Append(string text, ICollection<FieldChunk> chunks);

    /// <summary>The completion is whole: adds what was held back.</summary>
    public abstract void Complete(ICollection<FieldChunk> chunks);

    /// <summary>The value that the joined pieces of a field stand for; false when they stand for none.</summary>
    /// <param name="field">The output.</param>
    /// <param name="told">Its pieces, joined.</param>
    /// <param name="value">The canonical value.</param>
    internal virtual bool TryRead(SignatureField field, string told, out object? value)
    {
        var ignored = default(CoercionFailure);
        return ValueCoercer.TryCoerce(told, field.Type, out value, ref ignored);
    }
}
