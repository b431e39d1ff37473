using System.Diagnostics.CodeAnalysis;

namespace Hone;

/// <summary>Turns records and classes into signature fields, and their values into field maps and back.</summary>
internal static class SignatureReflector
{
    /// <summary>Field name of a bare input type such as <see cref="string"/>.</summary>
    public const string BareInput = "input";

    /// <summary>Field name of a bare output type.</summary>
    public const string BareOutput = "answer";

    /// <summary>The fields of a type: one for each public property, or a single one for a bare value type.</summary>
    public static IEnumerable<SignatureField> Fields(
        [DynamicallyAccessedMembers(ClrReflection.Members)] Type type, FieldDirection direction)
    {
        if (ClrTypes.IsValue(type))
            return [new SignatureField(BareName(direction), ClrTypes.Of(type), direction)];
        var shape = ClrShape.Of(type);
        if (shape.Members.IsEmpty)
        {
            throw new HoneException(
                $"{type} has no public properties, so it declares no {direction.ToString().ToLowerInvariant()} fields. "
                + "Use a record such as record Ask(string Question).");
        }

        // What nothing can set is no output: a property computed from others.
        return (direction == FieldDirection.Output ? shape.WritableMembers : shape.Members).Select(member => Field(member, direction, type));
    }

    /// <summary>The fields of a value as a canonical snapshot.</summary>
    /// <param name="record">A record, class, or bare value.</param>
    /// <param name="direction">Decides the name of the single field of a bare value.</param>
    public static FieldMap ToFieldMap(object record, FieldDirection direction = FieldDirection.Input)
    {
        ArgumentNullException.ThrowIfNull(record);
        return record is FieldMap map ? (FieldMap)ClrValues.ToCanonical(map)!
            : ClrTypes.IsValue(record.GetType()) ? FieldMap.Of((BareName(direction), ClrValues.ToCanonical(record)))
            : (FieldMap)ClrValues.ToCanonical(record)!;
    }

    /// <summary>A value of a type from its fields; fields that the type does not know are left out.</summary>
    /// <exception cref="ValueCoercionException">A value is missing or does not fit; the error names field and path.</exception>
    public static T FromFieldMap<[DynamicallyAccessedMembers(ClrReflection.Members)] T>(
        FieldMap fields, FieldDirection direction = FieldDirection.Output) =>
        (T)FromFieldMap(typeof(T), fields, direction)!;

    /// <summary>As <see cref="FromFieldMap{T}"/>, for a type known at run time.</summary>
    public static object? FromFieldMap(
        [DynamicallyAccessedMembers(ClrReflection.Members)] Type type, FieldMap fields, FieldDirection direction = FieldDirection.Output)
    {
        ArgumentNullException.ThrowIfNull(fields);
        if (type == typeof(FieldMap))
            return fields;
        if (!ClrTypes.IsValue(type))
            return ClrValues.Build(ClrShape.Of(type), fields, "$");
        var name = BareName(direction);
        return ClrValues.FromCanonical(fields[name], type, name);
    }

    private static string BareName(FieldDirection direction) => direction == FieldDirection.Input ? BareInput : BareOutput;

    /// <summary>The field of a property.</summary>
    public static SignatureField Field(ClrMember member, FieldDirection direction) =>
        new(member.Name, ClrTypes.Of(member, []), direction)
        {
            Description = member.Description,
            Prefix = member.Role?.Prefix,
            ClrName = member.ClrName,
            HasDefault = member.HasDefault,
            Default = member.Default,
            Constraints = member.Constraints,
        };

    private static SignatureField Field(ClrMember member, FieldDirection direction, Type owner) =>
        member.Role is { } role && role.Direction != direction
            ? throw new HoneException(
                $"The property '{member.ClrName}' of {owner} is marked [{role.Direction}], but the type is used for the "
                + $"{direction.ToString().ToLowerInvariant()}s of a predictor. Use one type for inputs and one for outputs, or "
                + $"Signature.Of<{owner.Name}>().")
            : Field(member, direction);
}
