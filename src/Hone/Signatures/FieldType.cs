using System.Collections.Immutable;

namespace Hone;

/// <summary>One member of an enumeration: its name in code and the value that the model sees, text or a whole number.</summary>
public sealed record EnumMember(string Name, object Value, object? ClrValue = null)
{
    /// <summary>What the member means; null when its name says it.</summary>
    public string? Description { get; init; }
}

/// <summary>One property of an object type.</summary>
public sealed record ObjectProperty(
    string Name, FieldType Type, bool IsRequired = true, object? Default = null, string? Description = null, string? ClrName = null)
{
    /// <summary>Bounds on the value.</summary>
    public ImmutableArray<FieldConstraint> Constraints { get; init; } = [];

    /// <summary>Structural equality; the .NET name does not count.</summary>
    public bool Equals(ObjectProperty? other) => other is not null
        && Name == other.Name
        && IsRequired == other.IsRequired
        && Description == other.Description
        && Type.Equals(other.Type)
        && FieldMap.ValuesEqual(Default, other.Default)
        && Constraints.SequenceEqual(other.Constraints);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Type, IsRequired);
}

/// <summary>An immutable description of a field's type, the same for every way of writing a signature.</summary>
public sealed class FieldType : IEquatable<FieldType>
{
    // The type that a reference stands for; asked only when it is needed, since it contains the reference.
    private Func<FieldType>? target;

    private FieldType(FieldTypeKind kind) => Kind = kind;

    /// <summary>What sort of value it is.</summary>
    public FieldTypeKind Kind { get; }

    /// <summary>Element, key and value, position or alternative types, by kind.</summary>
    public ImmutableArray<FieldType> Arguments { get; private init; } = [];

    /// <summary>The allowed values of a literal type: text, numbers, booleans or null.</summary>
    public ImmutableArray<object?> Literals { get; private init; } = [];

    /// <summary>The members of an enumeration.</summary>
    public ImmutableArray<EnumMember> Members { get; private init; } = [];

    /// <summary>The properties of an object type.</summary>
    public ImmutableArray<ObjectProperty> Properties { get; private init; } = [];

    /// <summary>Name of an enumeration, object or custom type, or the language of code; null for others.</summary>
    public string? Name { get; private init; }

    /// <summary>What an enumeration or object type means; null when its name says it.</summary>
    public string? Description { get; private init; }

    /// <summary>The .NET type that a typed signature binds to; null in the dynamic lane. Not part of equality.</summary>
    public Type? ClrType { get; private init; }

    /// <summary>Text.</summary>
    public static FieldType String { get; } = new(FieldTypeKind.String);

    /// <summary>Whole number.</summary>
    public static FieldType Integer { get; } = new(FieldTypeKind.Integer);

    /// <summary>Floating-point number.</summary>
    public static FieldType Number { get; } = new(FieldTypeKind.Number);

    /// <summary>Exact decimal number.</summary>
    public static FieldType Decimal { get; } = new(FieldTypeKind.Decimal);

    /// <summary>True or false.</summary>
    public static FieldType Boolean { get; } = new(FieldTypeKind.Boolean);

    /// <summary>Anything that JSON can say.</summary>
    public static FieldType Any { get; } = new(FieldTypeKind.Any);

    /// <summary>Only null.</summary>
    public static FieldType Null { get; } = new(FieldTypeKind.Null);

    /// <summary>A conversation so far.</summary>
    public static FieldType History { get; } = new(FieldTypeKind.History);

    /// <summary>A picture.</summary>
    public static FieldType Image { get; } = new(FieldTypeKind.Image);

    /// <summary>A sound recording.</summary>
    public static FieldType Audio { get; } = new(FieldTypeKind.Audio);

    /// <summary>A file of any format.</summary>
    public static FieldType Attachment { get; } = new(FieldTypeKind.Attachment);

    /// <summary>A document to quote from.</summary>
    public static FieldType Document { get; } = new(FieldTypeKind.Document);

    /// <summary>What the model thought before it answered.</summary>
    public static FieldType Reasoning { get; } = new(FieldTypeKind.Reasoning);

    /// <summary>Passages that support an answer.</summary>
    public static FieldType Citations { get; } = new(FieldTypeKind.Citations);

    /// <summary>A tool that may be called.</summary>
    public static FieldType Tool { get; } = new(FieldTypeKind.Tool);

    /// <summary>Requests to run tools.</summary>
    public static FieldType ToolCalls { get; } = new(FieldTypeKind.ToolCalls);

    /// <summary>What tools gave back.</summary>
    public static FieldType ToolResults { get; } = new(FieldTypeKind.ToolResults);

    /// <summary>True for pictures, recordings, files and documents: values that a message carries as parts of their own.</summary>
    public bool IsMedia => Kind is FieldTypeKind.Image or FieldTypeKind.Audio or FieldTypeKind.Attachment or FieldTypeKind.Document;

    /// <summary>How a custom type is shown and read.</summary>
    internal PromptType? PromptType { get; private init; }

    /// <summary>The type itself, or what a <see cref="FieldTypeKind.Reference"/> stands for.</summary>
    public FieldType Resolved => target is null ? this : target();

    /// <summary>True when null is a legal value.</summary>
    public bool AdmitsNull => Kind is FieldTypeKind.Null or FieldTypeKind.Any
        || (Kind == FieldTypeKind.Literal && Literals.Contains(null))
        || (Kind == FieldTypeKind.Union && Arguments.Any(argument => argument.AdmitsNull));

    /// <summary>A type without arguments, such as <see cref="FieldTypeKind.Date"/>.</summary>
    /// <exception cref="HoneException">The kind needs arguments, members or a name; it has a method of its own here.</exception>
    public static FieldType Simple(FieldTypeKind kind) => kind switch
    {
        FieldTypeKind.Code => CodeIn(),
        FieldTypeKind.Literal or FieldTypeKind.Enum or FieldTypeKind.List or FieldTypeKind.Set or FieldTypeKind.Tuple or FieldTypeKind.Dictionary
            or FieldTypeKind.Union or FieldTypeKind.Object or FieldTypeKind.Reference or FieldTypeKind.Custom =>
            throw new HoneException($"A type of the kind {kind} is no simple one; use the method of FieldType that makes it."),
        _ => new(kind),
    };

    /// <summary>A list of items.</summary>
    public static FieldType ListOf(FieldType item) => new(FieldTypeKind.List) { Arguments = [item] };

    /// <summary>A list without duplicates.</summary>
    public static FieldType SetOf(FieldType item) => new(FieldTypeKind.Set) { Arguments = [item] };

    /// <summary>A fixed sequence.</summary>
    /// <exception cref="HoneException">There are no items.</exception>
    public static FieldType TupleOf(params ImmutableArray<FieldType> items) => items.IsDefaultOrEmpty
        ? throw new HoneException("A tuple type needs at least one item.")
        : new(FieldTypeKind.Tuple) { Arguments = items };

    /// <summary>A map.</summary>
    public static FieldType DictionaryOf(FieldType key, FieldType value) => new(FieldTypeKind.Dictionary) { Arguments = [key, value] };

    /// <summary>
    /// One of several types; nested unions are flattened, duplicates dropped, null comes last. A single alternative is returned as it is.
    /// </summary>
    /// <exception cref="HoneException">There are no alternatives.</exception>
    public static FieldType UnionOf(params ImmutableArray<FieldType> alternatives)
    {
        if (alternatives.IsDefaultOrEmpty)
            throw new HoneException("A union type needs at least one alternative.");
        var flat = ImmutableArray.CreateBuilder<FieldType>(alternatives.Length);
        var admitsNull = false;
        foreach (var alternative in alternatives)
        {
            foreach (var type in alternative.Kind == FieldTypeKind.Union ? alternative.Arguments : [alternative])
            {
                if (type.Kind == FieldTypeKind.Null)
                    admitsNull = true;
                else if (!flat.Contains(type))
                    flat.Add(type);
            }
        }

        if (admitsNull)
            flat.Add(Null);
        return flat.Count == 1 ? flat[0] : new(FieldTypeKind.Union) { Arguments = flat.ToImmutable() };
    }

    /// <summary>The type or null.</summary>
    public static FieldType Optional(FieldType type) => type.Kind == FieldTypeKind.Any ? type : UnionOf(type, Null);

    /// <summary>One of a list of literal values: text, whole and real numbers, booleans, null.</summary>
    /// <exception cref="HoneException">There are no values, or one is something else.</exception>
    public static FieldType LiteralOf(params ImmutableArray<object?> values) => values.IsDefaultOrEmpty
        ? throw new HoneException("A literal type needs at least one value.")
        : new(FieldTypeKind.Literal) { Literals = [.. values.Select(FieldTypeRules.Literal)] };

    /// <summary>An enumeration.</summary>
    /// <exception cref="HoneException">The name is no identifier, there are no members, or a value is neither text nor a whole number.</exception>
    public static FieldType EnumOf(string name, params ImmutableArray<EnumMember> members)
    {
        FieldTypeRules.CheckName(name);
        FieldTypeRules.CheckMembers(name, members);
        return new(FieldTypeKind.Enum) { Name = name, Members = members };
    }

    /// <summary>An object with named properties.</summary>
    /// <exception cref="HoneException">The name is no identifier, or a property is declared twice.</exception>
    public static FieldType ObjectOf(string name, params ImmutableArray<ObjectProperty> properties)
    {
        FieldTypeRules.CheckName(name);
        FieldTypeRules.CheckProperties(name, properties);
        return new(FieldTypeKind.Object) { Name = name, Properties = properties };
    }

    /// <summary>An object type inside itself: a tree's children, a person's friends.</summary>
    /// <param name="name">Name of the object type.</param>
    /// <param name="target">Gives the object type; called when values are read or schemas written, never here.</param>
    public static FieldType ReferenceTo(string name, Func<FieldType> target)
    {
        ArgumentNullException.ThrowIfNull(target);
        FieldTypeRules.CheckName(name);
        return new(FieldTypeKind.Reference) { Name = name, target = target };
    }

    /// <summary>Source code in a language.</summary>
    public static FieldType CodeIn(string language = Code.DefaultLanguage)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(language);
        return new(FieldTypeKind.Code) { Name = language };
    }

    /// <summary>A type that says itself how it is shown and read.</summary>
    internal static FieldType Custom(PromptType type) =>
        new(FieldTypeKind.Custom) { Name = type.Name, PromptType = type, ClrType = type.ValueType };

    /// <summary>The same type bound to a .NET type.</summary>
    public FieldType BoundTo(Type clrType) => Copy(Arguments, clrType, Description);

    /// <summary>The same enumeration or object type with another meaning, told to the model wherever the type is.</summary>
    /// <exception cref="HoneException">The type is neither.</exception>
    public FieldType WithDescription(string? description) => Kind is FieldTypeKind.Enum or FieldTypeKind.Object
        ? Copy(Arguments, ClrType, description)
        : throw new HoneException($"Only enumerations and object types have a description of their own, not '{this}'. Describe the field.");

    /// <summary>The same container over other types.</summary>
    internal FieldType WithArguments(ImmutableArray<FieldType> arguments) => Copy(arguments, ClrType, Description);

    /// <summary>Structural equality; the .NET binding does not count, and references are equal when their names are.</summary>
    public bool Equals(FieldType? other) => ReferenceEquals(this, other) || (other is not null
        && Kind == other.Kind
        && Name == other.Name
        && Description == other.Description
        && SameItems(Arguments, other.Arguments)
        && SameItems(Literals, other.Literals)
        && SameItems(Properties, other.Properties)
        && SameMembers(Members, other.Members));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as FieldType);

    /// <inheritdoc/>
    public override int GetHashCode() =>
        Arguments.Aggregate(HashCode.Combine(Kind, Name, Literals.Length, Members.Length, Properties.Length), HashCode.Combine);

    /// <summary>The type in the grammar that <c>Signature.Parse</c> reads, e.g. <c>list[str]</c>.</summary>
    public override string ToString() => TypeExpressionWriter.Write(this);

    private FieldType Copy(ImmutableArray<FieldType> arguments, Type? clrType, string? description) => new(Kind)
    {
        Arguments = arguments,
        Literals = Literals,
        Members = Members,
        Properties = Properties,
        Name = Name,
        Description = description,
        PromptType = PromptType,
        ClrType = clrType,
        target = target,
    };

    private static bool SameItems<T>(ImmutableArray<T> left, ImmutableArray<T> right)
    {
        if (left.Length != right.Length)
            return false;
        for (var i = 0; i < left.Length; i++)
        {
            if (!EqualityComparer<T>.Default.Equals(left[i], right[i]))
                return false;
        }

        return true;
    }

    private static bool SameMembers(ImmutableArray<EnumMember> left, ImmutableArray<EnumMember> right)
    {
        if (left.Length != right.Length)
            return false;
        for (var i = 0; i < left.Length; i++)
        {
            if (left[i].Name != right[i].Name || left[i].Description != right[i].Description || !Equals(left[i].Value, right[i].Value))
                return false;
        }

        return true;
    }
}
