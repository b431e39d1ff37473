using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;

namespace Hone.Generators;

/// <summary>Recognizes Hone's own types and the few framework types that matter.</summary>
internal static class HoneSymbols
{
    public const string PredictAttribute = "Hone.PredictAttribute";

    public const string ChainOfThoughtAttribute = "Hone.ChainOfThoughtAttribute";

    public const string ReActAttribute = "Hone.ReActAttribute";

    public const string OutputAttribute = "Hone.OutputAttribute";

    private static readonly SymbolDisplayFormat MetadataLike = new(
        typeQualificationStyle: SymbolDisplayTypeQualificationStyle.NameAndContainingTypesAndNamespaces,
        globalNamespaceStyle: SymbolDisplayGlobalNamespaceStyle.Omitted);

    /// <summary>Namespace and name without type arguments: <c>System.Threading.Tasks.Task</c>.</summary>
    public static string FullName(ITypeSymbol type) => type.OriginalDefinition.ToDisplayString(MetadataLike);

    public static bool Is(ITypeSymbol? type, string fullName, int arity = 0) =>
        type is INamedTypeSymbol named && named.Arity == arity
        && named.Name.Length > 0 && fullName.EndsWith(named.Name, System.StringComparison.Ordinal)
        && FullName(named) == fullName;

    public static bool IsModule(ITypeSymbol? type) => BasesAndSelf(type).Any(candidate => Is(candidate, "Hone.Module"));

    public static bool IsCancellationToken(ITypeSymbol type) => Is(type, "System.Threading.CancellationToken");

    /// <summary>True for the options of a call, with or without a question mark.</summary>
    public static bool IsCallOptions(ITypeSymbol type) => Is(type, "Hone.CallOptions");

    /// <summary>True for what a predictor method takes that is no field.</summary>
    public static bool IsNoField(ITypeSymbol type) => IsCancellationToken(type) || IsCallOptions(type);

    /// <summary>The predictor attributes on a method.</summary>
    public static IEnumerable<AttributeData> PredictorAttributes(IMethodSymbol method) => method.GetAttributes()
        .Where(attribute => Is(attribute.AttributeClass, PredictAttribute) || Is(attribute.AttributeClass, ChainOfThoughtAttribute)
            || Is(attribute.AttributeClass, ReActAttribute));

    public static IEnumerable<ITypeSymbol> BasesAndSelf(ITypeSymbol? type)
    {
        for (var current = type; current is not null; current = current.BaseType)
            yield return current;
    }

    /// <summary>True for modules and for collections and dictionaries of modules: what ModuleReflector finds in a field.</summary>
    public static bool MayHoldModules(ITypeSymbol type) => IsModule(type) || type switch
    {
        IArrayTypeSymbol array => MayHoldModules(array.ElementType),
        INamedTypeSymbol { SpecialType: not SpecialType.System_String } named => IsEnumerable(named) && named.TypeArguments.Any(MayHoldModules),
        _ => false,
    };

    public static bool IsEnumerable(ITypeSymbol type) => type.SpecialType == SpecialType.System_Collections_IEnumerable
        || type.AllInterfaces.Any(contract => contract.SpecialType == SpecialType.System_Collections_IEnumerable);

    /// <summary>The key and value types of a dictionary; null for another type.</summary>
    public static (ITypeSymbol Key, ITypeSymbol Value)? DictionaryTypes(INamedTypeSymbol type) => type.AllInterfaces.Concat([type])
        .FirstOrDefault(contract => Is(contract, "System.Collections.Generic.IReadOnlyDictionary", arity: 2)
            || Is(contract, "System.Collections.Generic.IDictionary", arity: 2)) is { } dictionary
        ? (dictionary.TypeArguments[0], dictionary.TypeArguments[1])
        : null;

    /// <summary>The T of IEnumerable&lt;T&gt;; null without one.</summary>
    public static ITypeSymbol? ItemType(INamedTypeSymbol type) => type.AllInterfaces.Concat([type])
        .FirstOrDefault(contract => contract.OriginalDefinition.SpecialType == SpecialType.System_Collections_Generic_IEnumerable_T)
        ?.TypeArguments[0];
}
