using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Hone.Generators;

/// <summary>Types, constants and attributes as C# text that means the same anywhere.</summary>
internal static class CodeWriter
{
    private static readonly SymbolDisplayFormat TypeFormat = SymbolDisplayFormat.FullyQualifiedFormat.WithMiscellaneousOptions(
        SymbolDisplayMiscellaneousOptions.EscapeKeywordIdentifiers
        | SymbolDisplayMiscellaneousOptions.UseSpecialTypes
        | SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier);

    public static string Type(ITypeSymbol type) => type.ToDisplayString(TypeFormat);

    /// <summary>The type without question marks on reference types: for type arguments that only name it.</summary>
    public static string BareType(ITypeSymbol type) => type.ToDisplayString(
        TypeFormat.RemoveMiscellaneousOptions(SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier));

    public static string Text(string text) => SymbolDisplay.FormatLiteral(text, quote: true);

    /// <summary>The default value of a parameter as C# text; null without one.</summary>
    public static string? Default(IParameterSymbol parameter)
    {
        if (!parameter.HasExplicitDefaultValue)
            return null;
        var type = parameter.Type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } nullable
            ? nullable.TypeArguments[0]
            : parameter.Type;
        return parameter.ExplicitDefaultValue is not { } value ? "default"
            : type.TypeKind == TypeKind.Enum ? $"({Type(type)})({Primitive(value)})"
            : Primitive(value);
    }

    /// <summary>
    /// An attribute list: <c>[property: global::System.ComponentModel.DescriptionAttribute("…")]</c>; null if it must not be copied.
    /// </summary>
    /// <param name="attribute">An attribute of a parameter or of a result.</param>
    public static string? ForRecordParameter(AttributeData attribute)
    {
        if (attribute.AttributeClass is not { TypeKind: not TypeKind.Error } type || IsAboutTheMethod(type))
            return null;
        var target = TargetsOf(type) switch
        {
            var targets when (targets & AttributeTargets.Property) != 0 => "property: ",
            var targets when (targets & AttributeTargets.Parameter) != 0 => string.Empty,
            _ => null,
        };
        if (target is null)
            return null;
        var arguments = attribute.ConstructorArguments.Select(Constant)
            .Concat(attribute.NamedArguments.Select(pair => $"{NameRules.Escape(pair.Key)} = {Constant(pair.Value)}"));
        return $"[{target}{Type(type)}({string.Join(", ", arguments)})]";
    }

    public static string Constant(TypedConstant constant) => constant.Kind switch
    {
        TypedConstantKind.Array when constant.IsNull => "null",
        TypedConstantKind.Array => $"new {Type(constant.Type!)} {{ {string.Join(", ", constant.Values.Select(Constant))} }}",
        TypedConstantKind.Type => constant.Value is ITypeSymbol type ? $"typeof({Type(type)})" : "null",
        TypedConstantKind.Enum => $"({Type(constant.Type!)})({Primitive(constant.Value)})",
        _ => Primitive(constant.Value),
    };

    private static string Primitive(object? value) => value switch
    {
        null => "null",
        string text => Text(text),
        char character => SymbolDisplay.FormatLiteral(character, quote: true),
        bool flag => flag ? "true" : "false",
        double number when double.IsNaN(number) => "double.NaN",
        double number when double.IsInfinity(number) => number > 0 ? "double.PositiveInfinity" : "double.NegativeInfinity",
        double number => number.ToString("R", CultureInfo.InvariantCulture) + "D",
        float number when float.IsNaN(number) => "float.NaN",
        float number when float.IsInfinity(number) => number > 0 ? "float.PositiveInfinity" : "float.NegativeInfinity",
        float number => number.ToString("R", CultureInfo.InvariantCulture) + "F",
        decimal number => number.ToString(CultureInfo.InvariantCulture) + "M",
        long number => number.ToString(CultureInfo.InvariantCulture) + "L",
        ulong number => number.ToString(CultureInfo.InvariantCulture) + "UL",
        uint number => number.ToString(CultureInfo.InvariantCulture) + "U",
        byte or sbyte or short or ushort => $"({Keyword(value)})({Convert.ToString(value, CultureInfo.InvariantCulture)})",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture),
    };

    private static string Keyword(object value) => value switch
    {
        byte => "byte",
        sbyte => "sbyte",
        short => "short",
        _ => "ushort",
    };

    // Compiler services and nullable-flow attributes say something about the call, not about the value; a record property must not have them.
    private static bool IsAboutTheMethod(INamedTypeSymbol type) =>
        type.ContainingNamespace.ToDisplayString()
            is "System.Runtime.CompilerServices" or "System.Diagnostics.CodeAnalysis" or "System.Runtime.InteropServices"
        || HoneSymbols.Is(type, HoneSymbols.OutputAttribute)
        || HoneSymbols.Is(type, "System.ParamArrayAttribute");

    private static AttributeTargets TargetsOf(INamedTypeSymbol type)
    {
        IEnumerable<AttributeData> usages = HoneSymbols.BasesAndSelf(type)
            .Select(level => level.GetAttributes().FirstOrDefault(usage => HoneSymbols.Is(usage.AttributeClass, "System.AttributeUsageAttribute")))
            .Where(usage => usage is not null)!;
        return usages.FirstOrDefault()?.ConstructorArguments.FirstOrDefault().Value is int targets ? (AttributeTargets)targets : AttributeTargets.All;
    }
}
