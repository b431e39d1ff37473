using System.Collections.Concurrent;
using System.Reflection;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Base of <see cref="PromptType{T}"/>, which is the class to derive from.</summary>
public abstract class PromptType
{
    private static readonly ConcurrentDictionary<Type, PromptType?> Cache = new();

    private protected PromptType()
    {
    }

    /// <summary>The name of the type as the model sees it.</summary>
    public abstract string Name { get; }

    /// <summary>What the model must know to read or write such values; stands below the field in the inventory. Null for nothing.</summary>
    public virtual string? Description => null;

    internal abstract Type ValueType { get; }

    /// <summary>Takes a prompt type for a type that cannot carry the attribute.</summary>
    /// <exception cref="HoneException">The type has a prompt type of another class, or was used as a field without one.</exception>
    internal static void Register(PromptType type)
    {
        var known = Cache.GetOrAdd(type.ValueType, type);
        if (known is null)
            throw new HoneException($"{type.ValueType} was used as a field before its prompt type was registered. Register it when the program starts.");
        if (known.GetType() != type.GetType())
            throw new HoneException($"{type.ValueType} has the prompt type {known.GetType().Name} already, so {type.GetType().Name} cannot be registered.");
    }

    internal static PromptType? Of(Type type) =>
        Cache.GetOrAdd(type, static each => each.GetCustomAttribute<PromptTypeAttribute>(inherit: true)?.Create());

    internal abstract IEnumerable<AIContent> Show(object value);

    internal abstract string Write(object value);

    internal abstract object Read(string text);
}

/// <summary>
/// How values of a type of yours are shown to a model and read back. Attach it to the type with <see cref="PromptTypeAttribute{TPromptType}"/>; the
/// type can then be used as a field, and anywhere inside lists, dictionaries and records. Values must be immutable.
/// </summary>
/// <example>
/// <code>
/// [PromptType&lt;MoneyPromptType&gt;]
/// public sealed record Money(decimal Amount, string Currency);
///
/// public sealed class MoneyPromptType : PromptType&lt;Money&gt;
/// {
///     public override string? Description => "Money is written as an amount and a currency code, such as 12.50 EUR.";
///     public override string ToText(Money value) => $"{value.Amount} {value.Currency}";
///     public override Money FromText(string text) => …;
/// }
/// </code>
/// </example>
public abstract class PromptType<T> : PromptType
    where T : notnull
{
    /// <inheritdoc/>
    public override string Name => typeof(T).Name;

    internal override Type ValueType => typeof(T);

    /// <summary>The value as text, for prompts, JSON and state files; <see cref="FromText"/> reads it back.</summary>
    public abstract string ToText(T value);

    /// <summary>Reads what <see cref="ToText"/> or a model wrote. Any exception means that the text does not fit; its message is reported.</summary>
    public abstract T FromText(string text);

    /// <summary>The parts of a chat message that show the value; its text alone, unless overridden.</summary>
    public virtual IEnumerable<AIContent> ToContents(T value) => [new TextContent(ToText(value))];

    internal override IEnumerable<AIContent> Show(object value) => ToContents((T)value);

    internal override string Write(object value) => ToText((T)value);

    internal override object Read(string text) => FromText(text);
}

/// <summary>Base of <see cref="PromptTypeAttribute{TPromptType}"/>, which is the attribute to write.</summary>
public abstract class PromptTypeAttribute : Attribute
{
    private protected PromptTypeAttribute()
    {
    }

    internal abstract PromptType Create();
}

/// <summary>Says how values of this type are shown to a model and read back.</summary>
/// <typeparam name="TPromptType">The class that does it.</typeparam>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct)]
public sealed class PromptTypeAttribute<TPromptType> : PromptTypeAttribute
    where TPromptType : PromptType, new()
{
    internal override PromptType Create() => new TPromptType();
}
