using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;

namespace Hone.Generators;

/// <summary>
/// Says which types cannot be fields. Refuses only what can never be written to a prompt or read from an answer; what else Hone does not
/// know is refused by the predictor's constructor at run time.
/// </summary>
internal static class FieldTypeRules
{
    private const int JsonIgnoreAlways = 1;

    private static readonly string[] LiveObjects =
    [
        "System.IO.Stream", "System.IO.TextReader", "System.IO.TextWriter", "System.Exception", "System.Reflection.MemberInfo",
        "System.Delegate", "System.IServiceProvider", "System.Threading.CancellationTokenSource", "System.Threading.WaitHandle",
        "System.Threading.Thread", "Hone.Module",
    ];

    private static readonly string[] Pending =
    [
        "System.Threading.Tasks.Task", "System.Threading.Tasks.ValueTask", "System.Collections.Generic.IAsyncEnumerable",
        "System.Collections.Generic.IAsyncEnumerator",
    ];

    /// <summary>Why the type cannot be a field; null when it can (or when the compiler complains anyway).</summary>
    public static string? Refusal(ITypeSymbol type) => Refusal(type, new HashSet<ITypeSymbol>(SymbolEqualityComparer.Default));

    /// <summary>True when the type's own properties are fields: a record, class or struct of the user that is no collection.</summary>
    public static bool IsRecordLike(ITypeSymbol type) =>
        type is INamedTypeSymbol { TypeKind: TypeKind.Class or TypeKind.Struct, IsTupleType: false } named
        && !HoneSymbols.IsEnumerable(named)
        && !IsLibraryType(named);

    /// <summary>The properties that a record's fields come from, base classes first; what overrides one is the same field.</summary>
    public static IEnumerable<IPropertySymbol> Properties(ITypeSymbol type) => HoneSymbols.BasesAndSelf(type).Reverse()
        .SelectMany(level => level.GetMembers().OfType<IPropertySymbol>())
        .Where(property => property is
        {
            DeclaredAccessibility: Accessibility.Public, IsStatic: false, IsIndexer: false, IsOverride: false, GetMethod: not null,
        }
            && !property.GetAttributes().Any(IsJsonIgnore));

    /// <summary>True for tuples with and without syntax of their own.</summary>
    public static bool IsTuple(INamedTypeSymbol type) => type.IsTupleType || (type.IsGenericType && HoneSymbols.FullName(type) is "System.Tuple" or "System.ValueTuple");

    /// <summary>True for types that can be enumerated but are one value: JSON nodes and Hone's own.</summary>
    public static bool IsSingleValue(INamedTypeSymbol type) =>
        IsJsonNode(type) || (IsLibraryType(type) && HoneSymbols.FullName(type).StartsWith("Hone.", StringComparison.Ordinal));

    private static string? Refusal(ITypeSymbol type, HashSet<ITypeSymbol> seen)
    {
        if (type.TypeKind is TypeKind.Error or TypeKind.TypeParameter or TypeKind.Dynamic or TypeKind.Enum || !seen.Add(type))
            return null;
        if (type.IsRefLikeType)
            return "a ref struct cannot be kept; pass an array, a list or text";
        return type switch
        {
            IPointerTypeSymbol or IFunctionPointerTypeSymbol => "a pointer means nothing to a model",
            IArrayTypeSymbol { Rank: > 1 } => "a model writes lists, not grids; use an array of arrays",
            IArrayTypeSymbol array => Within("its items are", array.ElementType, seen),
            { TypeKind: TypeKind.Delegate } => "a delegate cannot be written as text",
            INamedTypeSymbol named => RefusalOfNamed(named, seen),
            _ => null,
        };
    }

    private static string? RefusalOfNamed(INamedTypeSymbol type, HashSet<ITypeSymbol> seen)
    {
        if (type.SpecialType is SpecialType.System_Void)
            return "there is nothing to write";
        if (type.SpecialType is SpecialType.System_IntPtr or SpecialType.System_UIntPtr)
            return "an address means nothing to a model; use long";
        if (type.IsTupleType)
            return First(type.TupleElements.Select(element => Within($"its element '{element.Name}' is", element.Type, seen)));
        if (Pending.Contains(HoneSymbols.FullName(type)))
            return "it is not there yet; await it first and pass the value";
        if (HoneSymbols.IsCancellationToken(type))
            return "a cancellation token is no value; a predictor method takes one directly";
        if (HoneSymbols.BasesAndSelf(type).Concat(type.AllInterfaces).Any(level => LiveObjects.Contains(HoneSymbols.FullName(level))))
            return "it is a live object, not a value; pass the data that you want the model to see";
        if (HoneSymbols.FullName(type) == "Hone.Prediction")
            return "a prediction is no value; only a whole result can be one: Task<Prediction<T>>";
        if (type.SpecialType is SpecialType.System_String or SpecialType.System_Object)
            return null;
        if (HoneSymbols.IsEnumerable(type))
            return RefusalOfCollection(type, seen);
        if (type.TypeKind == TypeKind.Interface)
            return "an interface does not say which values to write; use a record, or a collection interface such as IReadOnlyList<T>";
        if (IsLibraryType(type))
            return First(type.TypeArguments.Select(argument => Refusal(argument, seen)));
        return First(Properties(type).Select(property => Within($"its property '{property.Name}' is", property.Type, seen)));
    }

    private static string? RefusalOfCollection(INamedTypeSymbol type, HashSet<ITypeSymbol> seen)
    {
        if (IsJsonNode(type))
            return null;
        if (HoneSymbols.ItemType(type) is not { } item)
            return "the collection does not say what its items are; use one with an item type, such as IReadOnlyList<T>";
        return type.TypeArguments.Length == 0 ? Within("its items are", item, seen)
            : First(type.TypeArguments.Select(argument => Within("its items are", argument, seen)));
    }

    private static string? First(IEnumerable<string?> reasons) => reasons.FirstOrDefault(reason => reason is not null);

    private static string? Within(string place, ITypeSymbol type, HashSet<ITypeSymbol> seen) => Refusal(type, seen) is { } reason
        ? $"{place} {type.ToDisplayString(SymbolDisplayFormat.CSharpShortErrorMessageFormat)}: {reason}"
        : null;

    // JsonIgnore under a condition (WhenWritingNull …) leaves the property a field.
    private static bool IsJsonIgnore(AttributeData attribute) =>
        HoneSymbols.Is(attribute.AttributeClass, "System.Text.Json.Serialization.JsonIgnoreAttribute")
        && attribute.NamedArguments.All(argument => argument.Key != "Condition" || argument.Value.Value is JsonIgnoreAlways);

    private static bool IsJsonNode(ITypeSymbol type) =>
        HoneSymbols.BasesAndSelf(type).Any(level => HoneSymbols.Is(level, "System.Text.Json.Nodes.JsonNode"));

    /// <summary>Types of the framework and of Hone are single values, whatever properties they have.</summary>
    public static bool IsLibraryType(INamedTypeSymbol type)
    {
        var space = type.ContainingNamespace;
        while (space is { IsGlobalNamespace: false, ContainingNamespace.IsGlobalNamespace: false })
            space = space.ContainingNamespace;
        return space is { Name: "System" or "Microsoft" or "Hone", IsGlobalNamespace: false } && !type.Locations.Any(location => location.IsInSource);
    }
}
