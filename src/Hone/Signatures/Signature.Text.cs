using System.Text;

namespace Hone;

/// <content>The string form.</content>
public sealed partial class Signature
{
    /// <summary>Reads a signature such as <c>"question, context: list[str] -> answer: int"</c>.</summary>
    /// <param name="text">Inputs, one arrow, outputs; a field without a type is text.</param>
    /// <param name="instructions">What to do; null gives a default sentence.</param>
    /// <param name="registeredTypes">Records, classes and enums that the text may use by name. Nothing else is ever loaded.</param>
    /// <exception cref="SignatureFormatException">The text is not a signature; the error has the position.</exception>
    public static Signature Parse(string text, string? instructions = null, params Type[] registeredTypes)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(registeredTypes);
        return SignatureParser.Parse(text, instructions, registeredTypes.Length == 0 ? TypeRegistry.Empty : TypeRegistry.Of(registeredTypes));
    }

    /// <summary>As <see cref="Parse(string, string?, Type[])"/>, with types under other names, or described without a .NET type.</summary>
    /// <param name="text">Inputs, one arrow, outputs; a field without a type is text.</param>
    /// <param name="types">The types that the text may use by name.</param>
    /// <param name="instructions">What to do; null gives a default sentence.</param>
    /// <exception cref="SignatureFormatException">The text is not a signature; the error has the position.</exception>
    public static Signature Parse(string text, TypeRegistry types, string? instructions = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(types);
        return SignatureParser.Parse(text, instructions, types);
    }

    /// <summary>
    /// The fields in the grammar of <see cref="Parse(string, string?, Type[])"/>; instructions, descriptions and bounds are not part of it.
    /// </summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        AppendFields(text, Inputs);
        text.Append(text.Length > 0 ? " ->" : "->");
        if (!Outputs.IsEmpty)
            text.Append(' ');
        AppendFields(text, Outputs);
        return text.ToString();
    }

    private static void AppendFields(StringBuilder text, IReadOnlyList<SignatureField> fields)
    {
        for (var i = 0; i < fields.Count; i++)
        {
            text.Append(i > 0 ? ", " : string.Empty).Append(fields[i].Name);
            if (fields[i].Type.Kind != FieldTypeKind.String)
                text.Append(": ").Append(fields[i].Type);
        }
    }
}
