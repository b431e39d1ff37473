using System.Collections.Immutable;

namespace Hone;

/// <summary>Whether a field is given to the model or asked of it.</summary>
public enum FieldDirection
{
    /// <summary>Given to the model.</summary>
    Input,

    /// <summary>Asked of the model.</summary>
    Output,
}

/// <summary>One bound on a field's value, shown to the model and enforced on parsing: for example <c>("ge", 0)</c>.</summary>
/// <param name="Kind">gt, ge, lt, le, min_length, max_length, multiple_of, allow_inf_nan or pattern.</param>
/// <param name="Value">The bound.</param>
public sealed record FieldConstraint(string Kind, object Value);

/// <summary>One named, typed field of a signature.</summary>
public sealed record SignatureField(string Name, FieldType Type, FieldDirection Direction)
{
    /// <summary>What the field means; null when none was given.</summary>
    public string? Description { get; init; }

    /// <summary>A readable label such as <c>Key Facts</c>; inferred from the name when null.</summary>
    public string? Prefix { get; init; }

    /// <summary>True when a default exists (which may be null).</summary>
    public bool HasDefault { get; init; }

    /// <summary>The value used when an input is not passed or an output is not produced.</summary>
    public object? Default { get; init; }

    /// <summary>Bounds on the value.</summary>
    public ImmutableArray<FieldConstraint> Constraints { get; init; } = [];

    /// <summary>True when no type was written and text is assumed.</summary>
    public bool IsTypeUndefined { get; init; }

    /// <summary>Name of the .NET property or parameter that carries the value; null in the dynamic lane. Not part of equality.</summary>
    public string? ClrName { get; init; }

    /// <summary>Structural equality of name, type, direction, description, label, default and constraints.</summary>
    public bool Equals(SignatureField? other) => other is not null
        && Name == other.Name
        && Type.Equals(other.Type)
        && Direction == other.Direction
        && Description == other.Description
        && Prefix == other.Prefix
        && HasDefault == other.HasDefault
        && FieldMap.ValuesEqual(Default, other.Default)
        && Constraints.SequenceEqual(other.Constraints);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Type, Direction, Description, HasDefault);
}
