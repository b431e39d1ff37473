using System.Collections.Immutable;
using System.Text;

namespace Hone;

/// <summary>The numbered list of fields in a system message: name, type, description, bounds.</summary>
internal static class FieldInventory
{
    public static void Append(StringBuilder text, ImmutableArray<SignatureField> fields)
    {
        for (var i = 0; i < fields.Length; i++)
        {
            var field = fields[i];
            text.Append(i > 0 ? "\n" : string.Empty).Append(i + 1);
            text.Append(". `").Append(field.Name).Append("` (").Append(TypeNames.Of(field.Type)).Append("):");
            if (!string.IsNullOrEmpty(field.Description))
                text.Append(' ').Append(field.Description);
            foreach (var description in TypeDescriptions.Of(field.Type))
                text.Append("\n    ").Append(description.Replace("\n", "\n    ", StringComparison.Ordinal));
            if (!field.Constraints.IsEmpty)
                text.Append("\nConstraints: ").Append(FieldConstraints.Describe(field.Constraints));
        }
    }
}
