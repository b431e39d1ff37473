namespace Hone;

/// <summary>Base of <see cref="InputAttribute"/> and <see cref="OutputAttribute"/>.</summary>
public abstract class FieldAttribute : Attribute
{
    private protected FieldAttribute()
    {
    }

    /// <summary>What the field means; null when the name says it.</summary>
    public string? Description { get; set; }

    /// <summary>A readable label in place of the one made from the name, such as <c>Key Facts:</c>.</summary>
    public string? Prefix { get; set; }

    internal abstract FieldDirection Direction { get; }
}

/// <summary>The value must be a multiple of a number. Told to the model, and checked on every value.</summary>
/// <param name="divisor">A finite number above 0.</param>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class MultipleOfAttribute(double divisor) : Attribute
{
    /// <summary>The number.</summary>
    public double Divisor { get; } = double.IsFinite(divisor) && divisor > 0
        ? divisor
        : throw new HoneException($"[MultipleOf] needs a finite number above 0, not {divisor.ToString(System.Globalization.CultureInfo.InvariantCulture)}.");
}

/// <summary>A property that is given to the model, in a type for <see cref="Signature.Of{T}"/>.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
public sealed class InputAttribute : FieldAttribute
{
    internal override FieldDirection Direction => FieldDirection.Input;
}

/// <summary>
/// A property that is asked of the model, in a type for <see cref="Signature.Of{T}"/>. On the result of a predictor method,
/// <c>[return: Output("query", Description = "…")]</c>, it names its single output field, or describes the tuple element of that name.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter | AttributeTargets.ReturnValue, AllowMultiple = true)]
public sealed class OutputAttribute : FieldAttribute
{
    /// <summary>The output of the property that it stands on.</summary>
    public OutputAttribute() => Name = string.Empty;

    /// <summary>The output of that name.</summary>
    /// <param name="name">Name of the field, in C# or snake case; for tuples, of the element.</param>
    public OutputAttribute(string name) => Name = name;

    /// <summary>Name of the field; empty on a property, which has its own.</summary>
    public string Name { get; }

    internal override FieldDirection Direction => FieldDirection.Output;
}
