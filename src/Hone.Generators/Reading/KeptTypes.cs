using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;

namespace Hone.Generators;

/// <summary>
/// The calls of <c>Hone.TypeSupport</c> that keep whole, in a trimmed or natively compiled program, what the fields of a predictor reach: nested
/// records, tuples, collections. The predictor's own records are kept by its type parameters; enumerations are kept by the trimmer.
/// </summary>
internal sealed class KeptTypes
{
    private const string Support = "global::Hone.TypeSupport";

    private readonly HashSet<ITypeSymbol> seen = new(SymbolEqualityComparer.Default);

    private readonly List<string> calls = [];

    /// <summary>The calls for fields of the given types, in order of first sight.</summary>
    public static EquatableArray<string> Of(IEnumerable<ITypeSymbol> types)
    {
        var kept = new KeptTypes();
        foreach (var type in types)
            kept.Add(type);
        return new(kept.calls.Distinct());
    }

    private void Add(ITypeSymbol type)
    {
        if (type.TypeKind is TypeKind.Enum or TypeKind.TypeParameter or TypeKind.Error or TypeKind.Dynamic or TypeKind.Delegate || !seen.Add(type))
            return;
        switch (type)
        {
            case IArrayTypeSymbol { Rank: 1, ElementType: { SpecialType: not SpecialType.System_Byte } element }:
                AddList(type, element);
                break;
            case INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } nullable:
                Add(nullable.TypeArguments[0]);
                break;
            case INamedTypeSymbol named when FieldTypeRules.IsTuple(named):
                Keep("Register", named);
                AddAll(named.TypeArguments);
                break;
            case INamedTypeSymbol named when HoneSymbols.IsEnumerable(named):
                AddCollection(named);
                break;
            case INamedTypeSymbol { TypeKind: TypeKind.Class or TypeKind.Struct } named when !FieldTypeRules.IsLibraryType(named):
                Keep("Register", named);
                AddAll(FieldTypeRules.Properties(named).Select(property => property.Type));
                break;
            case INamedTypeSymbol named when HoneSymbols.Is(named, "System.Collections.Generic.KeyValuePair", arity: 2):
                Keep("Register", named);
                AddAll(named.TypeArguments);
                break;
            default:
                break;
        }
    }

    private void AddCollection(INamedTypeSymbol type)
    {
        if (type.SpecialType == SpecialType.System_String || FieldTypeRules.IsSingleValue(type))
            return;
        if (HoneSymbols.DictionaryTypes(type) is { } entry)
        {
            if (entry.Key is not ITypeParameterSymbol { HasNotNullConstraint: false, HasReferenceTypeConstraint: false, HasValueTypeConstraint: false })
                Keep("RegisterDictionary", type, entry.Key, entry.Value);
            AddAll([entry.Key, entry.Value]);
        }
        else if (HoneSymbols.ItemType(type) is { } item)
        {
            AddList(type, item);
        }
    }

    private void AddList(ITypeSymbol type, ITypeSymbol item)
    {
        Keep("RegisterList", type, item);
        Add(item);
    }

    private void AddAll(IEnumerable<ITypeSymbol> types)
    {
        foreach (var type in types)
            Add(type);
    }

    private void Keep(string method, params ITypeSymbol[] types) =>
        calls.Add($"{Support}.{method}<{string.Join(", ", types.Select(CodeWriter.BareType))}>();");
}
