using System.Collections.Immutable;

namespace Hone;

/// <summary>The kinds of value that a field can have.</summary>
public enum FieldTypeKind
{
    /// <summary>Text.</summary>
    String,

    /// <summary>A whole number; canonical value <see cref="long"/> (or BigInteger beyond its range).</summary>
    Integer,

    /// <summary>A floating-point number; canonical value <see cref="double"/>.</summary>
    Number,

    /// <summary>An exact decimal number; canonical value <see cref="decimal"/>.</summary>
    Decimal,

    /// <summary>True or false.</summary>
    Boolean,

    /// <summary>Bytes, base-64 in JSON.</summary>
    Bytes,

    /// <summary>A calendar date; canonical value <see cref="DateOnly"/>.</summary>
    Date,

    /// <summary>A point in time; canonical value <see cref="DateTimeOffset"/>.</summary>
    DateTime,

    /// <summary>A globally unique identifier.</summary>
    Guid,

    /// <summary>A web address.</summary>
    Uri,

    /// <summary>Anything that JSON can say.</summary>
    Any,

    /// <summary>Only null.</summary>
    Null,

    /// <summary>One of a list of literal values.</summary>
    Literal,

    /// <summary>One of the named members of an enumeration.</summary>
    Enum,

    /// <summary>A list; one argument.</summary>
    List,

    /// <summary>A list without duplicates; one argument.</summary>
    Set,

    /// <summary>A fixed sequence; one argument a position.</summary>
    Tuple,

    /// <summary>A map; arguments key and value.</summary>
    Dictionary,

    /// <summary>One of several types.</summary>
    Union,

    /// <summary>An object with named properties.</summary>
    Object,

    /// <summary>A conversation so far: earlier turns as field maps. Rendered as messages, never as text.</summary>
    History,

    /// <summary>A picture; canonical value <see cref="Hone.Image"/>.</summary>
    Image,

    /// <summary>A sound recording; canonical value <see cref="Hone.Audio"/>.</summary>
    Audio,

    /// <summary>A file of any format; canonical value <see cref="Hone.Attachment"/>.</summary>
    Attachment,

    /// <summary>A document to quote from; canonical value <see cref="Hone.Document"/>.</summary>
    Document,

    /// <summary>What the model thought before it answered; canonical value text.</summary>
    Reasoning,

    /// <summary>Source code in the language that <see cref="FieldType.Name"/> says; canonical value text.</summary>
    Code,

    /// <summary>Passages that support an answer; canonical value a list of field maps.</summary>
    Citations,

    /// <summary>A tool that may be called; canonical value an <see cref="Microsoft.Extensions.AI.AITool"/>.</summary>
    Tool,

    /// <summary>Requests to run tools; canonical value a field map with the list <c>tool_calls</c>.</summary>
    ToolCalls,

    /// <summary>What tools gave back; canonical value a field map with the list <c>tool_call_results</c>.</summary>
    ToolResults,

    /// <summary>A type with a <see cref="PromptType{T}"/> of its own; canonical value the instance.</summary>
    Custom,
}

/// <summary>One member of an enumeration: its name in code and the value that the model sees.</summary>
public sealed record EnumMember(string Name, object Value, object? ClrValue = null);

/// <summary>One property of an object type.</summary>
public sealed record ObjectProperty(
    string Name, FieldType Type, bool IsRequired = true, object? Default = null, string? Description = null, string? ClrName = null)
{
    /// <summary>Bounds on the value.</summary>
    public ImmutableArray<FieldConstraint> Constraints { get; init; } = [];
}

/// <summary>An immutable description of a field's type, the same for every way of writing a signature.</summary>
public sealed class FieldType : IEquatable<FieldType>
{
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

    /// <summary>True when null is a legal value.</summary>
    public bool AdmitsNull => Kind is FieldTypeKind.Null or FieldTypeKind.Any
        || (Kind == FieldTypeKind.Literal && Literals.Contains(null))
        || (Kind == FieldTypeKind.Union && Arguments.Any(argument => argument.AdmitsNull));

    /// <summary>A type without arguments, such as <see cref="FieldTypeKind.Date"/>.</summary>
    public static FieldType Simple(FieldTypeKind kind) => new(kind);

    /// <summary>A list of items.</summary>
    public static FieldType ListOf(FieldType item) => new(FieldTypeKind.List) { Arguments = [item] };

    /// <summary>A list without duplicates.</summary>
    public static FieldType SetOf(FieldType item) => new(FieldTypeKind.Set) { Arguments = [item] };

    /// <summary>A fixed sequence.</summary>
    public static FieldType TupleOf(params ImmutableArray<FieldType> items) => new(FieldTypeKind.Tuple) { Arguments = items };

    /// <summary>A map.</summary>
    public static FieldType DictionaryOf(FieldType key, FieldType value) => new(FieldTypeKind.Dictionary) { Arguments = [key, value] };

    /// <summary>
    /// One of several types; nested unions are flattened, duplicates dropped, null comes last. A single alternative is returned as it is.
    /// </summary>
    public static FieldType UnionOf(params ImmutableArray<FieldType> alternatives)
    {
        var flat = alternatives.SelectMany(type => type.Kind == FieldTypeKind.Union ? type.Arguments : [type]).Distinct()
            .OrderBy(type => type.Kind == FieldTypeKind.Null).ToImmutableArray();
        return flat.Length == 1 ? flat[0] : new(FieldTypeKind.Union) { Arguments = flat };
    }

    /// <summary>The type or null.</summary>
    public static FieldType Optional(FieldType type) => UnionOf(type, Null);

    /// <summary>One of a list of literal values.</summary>
    public static FieldType LiteralOf(params ImmutableArray<object?> values) => new(FieldTypeKind.Literal) { Literals = values };

    /// <summary>An enumeration.</summary>
    public static FieldType EnumOf(string name, params ImmutableArray<EnumMember> members) =>
        new(FieldTypeKind.Enum) { Name = name, Members = members };

    /// <summary>An object with named properties.</summary>
    public static FieldType ObjectOf(string name, params ImmutableArray<ObjectProperty> properties) =>
        new(FieldTypeKind.Object) { Name = name, Properties = properties };

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
    public FieldType BoundTo(Type clrType) => Copy(Arguments, clrType);

    /// <summary>The same container over other types.</summary>
    internal FieldType WithArguments(ImmutableArray<FieldType> arguments) => Copy(arguments, ClrType);

    /// <summary>Structural equality; the .NET binding does not count.</summary>
    public bool Equals(FieldType? other) => other is not null
        && Kind == other.Kind
        && Name == other.Name
        && Arguments.SequenceEqual(other.Arguments)
        && Literals.SequenceEqual(other.Literals)
        && Members.Select(member => (member.Name, member.Value)).SequenceEqual(other.Members.Select(member => (member.Name, member.Value)))
        && Properties.Select(property => (property.Name, property.Type, property.IsRequired))
            .SequenceEqual(other.Properties.Select(property => (property.Name, property.Type, property.IsRequired)));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as FieldType);

    /// <inheritdoc/>
    public override int GetHashCode() =>
        Arguments.Aggregate(HashCode.Combine(Kind, Name, Literals.Length, Members.Length, Properties.Length), HashCode.Combine);

    /// <summary>The type in the grammar that <c>Signature.Parse</c> reads, e.g. <c>list[str]</c>.</summary>
    public override string ToString() => TypeExpressionWriter.Write(this);

    private FieldType Copy(ImmutableArray<FieldType> arguments, Type? clrType) => new(Kind)
    {
        Arguments = arguments,
        Literals = Literals,
        Members = Members,
        Properties = Properties,
        Name = Name,
        PromptType = PromptType,
        ClrType = clrType,
    };
}
