using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;

namespace Hone.Generators;

/// <summary>Reads what generated code needs to know about the class around predictor methods.</summary>
internal static class ModuleReader
{
    private const string GetChildren = "GetChildren";

    public static ModuleModel Read(INamedTypeSymbol type, Compilation compilation)
    {
        var nesting = new Stack<INamedTypeSymbol>();
        for (var current = type; current is not null; current = current.ContainingType)
            nesting.Push(current);
        var space = type.ContainingNamespace.IsGlobalNamespace ? string.Empty
            : string.Join(".", type.ContainingNamespace.ToDisplayString().Split('.').Select(NameRules.Escape));
        var prefix = space.Length == 0 ? string.Empty : space.Replace("@", string.Empty) + ".";
        return new(
            space,
            new(nesting.Select(Declaration)),
            $"{prefix}{string.Join(".", nesting.Select(level => level.MetadataName)).Replace('`', '-')}.g.cs",
            GetChildrenModifiers(type, compilation.Assembly));
    }

    private static string Declaration(INamedTypeSymbol type)
    {
        var keyword = (type.TypeKind, type.IsRecord) switch
        {
            (TypeKind.Interface, _) => "interface",
            (TypeKind.Struct, true) => "record struct",
            (TypeKind.Struct, _) => "struct",
            (_, true) => "record",
            _ => "class",
        };
        var names = string.Join(", ", type.TypeParameters.Select(parameter => NameRules.Escape(parameter.Name)));
        var parameters = names.Length == 0 ? string.Empty : $"<{names}>";
        return $"partial {keyword} {NameRules.Escape(type.Name)}{parameters}";
    }

    // A class that writes its own override knows what it does; a sealed one in a base class leaves the search by reflection.
    private static string? GetChildrenModifiers(INamedTypeSymbol type, IAssemblySymbol assembly)
    {
        if (OverridesOf(type).Any())
            return null;
        var inherited = HoneSymbols.BasesAndSelf(type.BaseType).SelectMany(OverridesOf).FirstOrDefault();
        if (inherited is null or { IsSealed: true })
            return null;

        // Within the assembly of Module, and its friends, the override must repeat "internal"; elsewhere it must not.
        var owner = inherited.ContainingAssembly;
        var isFriend = SymbolEqualityComparer.Default.Equals(owner, assembly) || owner.GivesAccessTo(assembly);
        return isFriend && inherited.DeclaredAccessibility == Accessibility.ProtectedOrInternal
            ? "protected internal override"
            : "protected override";
    }

    private static IEnumerable<IMethodSymbol> OverridesOf(ITypeSymbol type) =>
        type.GetMembers(GetChildren).OfType<IMethodSymbol>().Where(method => method.Parameters.IsEmpty && !method.IsStatic);
}
