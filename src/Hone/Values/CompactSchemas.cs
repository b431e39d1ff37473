using System.Text;

namespace Hone;

/// <summary>
/// Types in the short notation that models read with few tokens: <c>string[]</c>, <c>int or null</c>, objects as lines of names and types with
/// <c>#</c> comments. A type inside itself stands there by its name.
/// </summary>
internal static class CompactSchemas
{
    private const string Step = "  ";

    /// <summary>The type; several lines when there are objects in it.</summary>
    public static string Write(FieldType type)
    {
        var text = new StringBuilder();
        new Writer(text, SchemaReferences.Of(type)).Write(type, string.Empty);
        return text.ToString();
    }

    private sealed class Writer(StringBuilder text, SchemaReferences references)
    {
        private readonly List<FieldType> path = [];

        public void Write(FieldType type, string indent)
        {
            switch (type.Kind)
            {
                case FieldTypeKind.Union:
                    WriteAlternatives(type, indent);
                    break;
                case FieldTypeKind.Literal:
                    text.AppendJoin(" or ", type.Literals.Select(value => JsonText.Write(value)));
                    break;
                case FieldTypeKind.Enum:
                    text.AppendJoin(" or ", type.Members.Select(member => JsonText.Write(member.Value)));
                    break;
                case FieldTypeKind.List or FieldTypeKind.Set:
                    WriteList(type.Arguments[0], indent);
                    break;
                case FieldTypeKind.Tuple:
                    WriteArguments("[", type, indent);
                    break;
                case FieldTypeKind.Dictionary:
                    WriteArguments("dict[", type, indent);
                    break;
                case FieldTypeKind.Object or FieldTypeKind.Reference:
                    WriteObject(type.Resolved, indent);
                    break;
                case var kind when SpecialShapes.Of(kind) is { } shape:
                    Write(shape, indent);
                    break;
                default:
                    text.Append(NameOf(type));
                    break;
            }
        }

        private void WriteAlternatives(FieldType type, string indent)
        {
            for (var i = 0; i < type.Arguments.Length; i++)
            {
                text.Append(i > 0 ? " or " : string.Empty);
                Write(type.Arguments[i], indent);
            }
        }

        private void WriteList(FieldType item, string indent)
        {
            if (HoldsObject(item))
            {
                var inner = indent + Step;
                text.Append("[\n").Append(inner);
                Write(item, inner);
                text.Append('\n').Append(indent).Append(']');
                return;
            }

            var isJoined = item.Kind is FieldTypeKind.Union or FieldTypeKind.Literal or FieldTypeKind.Enum;
            text.Append(isJoined ? "(" : string.Empty);
            Write(item, indent);
            text.Append(isJoined ? ")[]" : "[]");
        }

        private void WriteArguments(string open, FieldType type, string indent)
        {
            text.Append(open);
            for (var i = 0; i < type.Arguments.Length; i++)
            {
                text.Append(i > 0 ? ", " : string.Empty);
                Write(type.Arguments[i], indent);
            }

            text.Append(']');
        }

        private void WriteObject(FieldType type, string indent)
        {
            if (IsOpen(type))
            {
                text.Append(type.Name);
                return;
            }

            path.Add(type);
            if (references.NameOf(type) is not null)
                text.Append(type.Name).Append(' ');
            text.Append("{\n");
            var inner = indent + Step;
            WriteComment(type.Description, inner);
            if (type.Properties.IsEmpty)
                text.Append(inner).Append("# no fields\n");
            foreach (var property in type.Properties)
            {
                WriteComment(property.Description, inner);
                WriteComment(TypeDescriptions.OfEnumeration(property.Type), inner);
                if (!property.Constraints.IsEmpty)
                    WriteComment(FieldConstraints.Describe(property.Constraints), inner);
                text.Append(inner).Append(property.Name).Append(": ");
                Write(property.Type, inner);
                text.Append(",\n");
            }

            text.Append(indent).Append('}');
            path.RemoveAt(path.Count - 1);
        }

        private void WriteComment(string? comment, string indent)
        {
            if (string.IsNullOrWhiteSpace(comment))
                return;
            foreach (var line in comment.Trim().Split('\n'))
                text.Append(indent).Append("# ").Append(line.Trim()).Append('\n');
        }

        // Only a type that is being written counts as recursion; meeting it again beside is no reason to hide it.
        private bool IsOpen(FieldType type) =>
            path.Exists(each => ReferenceEquals(each, type) || (each.ClrType is not null && each.ClrType == type.ClrType) || each.Equals(type));

        private bool HoldsObject(FieldType type) => type.Kind switch
        {
            FieldTypeKind.Object or FieldTypeKind.Reference => !IsOpen(type.Resolved),
            FieldTypeKind.Union or FieldTypeKind.Tuple or FieldTypeKind.Dictionary or FieldTypeKind.List or FieldTypeKind.Set =>
                type.Arguments.Any(HoldsObject),
            _ => SpecialShapes.Of(type.Kind) is { } shape && HoldsObject(shape),
        };
    }

    private static string NameOf(FieldType type) => type.Kind switch
    {
        FieldTypeKind.String or FieldTypeKind.Reasoning => "string",
        FieldTypeKind.Integer => "int",
        FieldTypeKind.Number or FieldTypeKind.Decimal => "float",
        FieldTypeKind.Boolean => "boolean",
        FieldTypeKind.Null => "null",
        FieldTypeKind.Any => "any",
        FieldTypeKind.Date => "string (date, 2024-02-29)",
        FieldTypeKind.DateTime => "string (date and time, 2024-02-29T12:30:00Z)",
        FieldTypeKind.Time => "string (time, 12:30:00)",
        FieldTypeKind.Duration => "string (duration, PT1H30M)",
        FieldTypeKind.Guid => "string (uuid)",
        FieldTypeKind.Uri => "string (URL)",
        FieldTypeKind.Bytes => "string (base64)",
        FieldTypeKind.Code => $"string ({TypeNames.Of(type)})",
        FieldTypeKind.Custom => $"string ({type.Name})",
        _ => "string (URL or data URI)",
    };
}
