using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Hone.Generators;

/// <summary>Names must be free: of paths in a module (HONE004) and of fields in a signature (HONE007).</summary>
internal static class NameChecks
{
    // Members that every record has already.
    private static readonly HashSet<string> RecordMembers =
    [
        "Clone", "Deconstruct", "EqualityContract", "Equals", "Finalize", "GetHashCode", "GetType", "MemberwiseClone", "PrintMembers",
        "ReferenceEquals", "ToString",
    ];

    private static readonly HashSet<string> AgentFields = ["history", "tools", "next_thought", "tool_calls"];

    public static IEnumerable<Problem> Fields(
        MethodDeclarationSyntax declaration,
        IMethodSymbol method,
        string kind,
        List<(string Name, FieldModel Field)> inputs,
        ResultReading? result)
    {
        var place = declaration.Identifier.GetLocation();
        var seen = new HashSet<string>();
        foreach (var (name, field) in inputs)
        {
            if (!seen.Add(name))
                yield return Taken("input", name, "is there twice; rename a parameter");
            else if (kind == PredictorReader.ReAct && AgentFields.Contains(name))
                yield return Taken("input", name, "has a name that agents need for themselves; rename the parameter");
            else if (kind == PredictorReader.ChainOfThought && name == "reasoning")
                yield return Taken("input", name, "has the name of the field that chain of thought adds to the outputs; rename the parameter");
            else if (RecordMembers.Contains(field.Property))
                yield return Taken("input", name, "has the name of a member of every record; rename the parameter");
        }

        var inputNames = new HashSet<string>(inputs.Select(input => input.Name));
        foreach (var (name, field) in result?.Outputs ?? [])
        {
            if (inputNames.Contains(name))
                yield return Taken("output", name, $"has the name of an input; {Advice(result!.Shape)}");
            else if (!seen.Add(name))
                yield return Taken("output", name, $"is there twice; {Advice(result!.Shape)}");
            else if (kind == PredictorReader.ReAct && AgentFields.Contains(name))
                yield return Taken("output", name, $"has a name that agents need for themselves; {Advice(result!.Shape)}");
            else if (name == "completed")
                yield return Taken("output", name, $"has the name of the marker that ends an answer; {Advice(result!.Shape)}");
            else if (!SyntaxFacts.IsValidIdentifier(name))
                yield return Taken("output", name, "is no name; use letters, digits and underscores, not starting with a digit");
            else if (result!.Shape != ResultShape.Record && RecordMembers.Contains(field.Property))
                yield return Taken("output", name, $"has the name of a member of every record; {Advice(result.Shape)}");
        }

        Problem Taken(string direction, string name, string reason) => Problem.At(Descriptors.NameTaken, place, direction, name, method.Name, reason);
    }

    public static IEnumerable<Problem> Path(MethodDeclarationSyntax declaration, IMethodSymbol method, string path)
    {
        if (OwnerOf(method, path) is { } owner)
            yield return Problem.At(Descriptors.DuplicatePath, declaration.Identifier.GetLocation(), path, method.Name, owner);
    }

    private static string Advice(ResultShape shape) => shape switch
    {
        ResultShape.Value => "name it in the attribute: Output = \"…\"",
        ResultShape.Tuple => "rename the element",
        _ => "rename the property",
    };

    // The member that has the path already: an earlier method, a hand-written module field, or a predictor of a base class.
    private static string? OwnerOf(IMethodSymbol method, string path)
    {
        var type = method.ContainingType;
        var earlier = PredictorReader.PredictorMethods(type)
            .TakeWhile(other => !SymbolEqualityComparer.Default.Equals(other, method))
            .FirstOrDefault(other => NameRules.PathOf(other.Name) == path);
        var own = earlier?.ToDisplayString(SymbolDisplayFormat.CSharpShortErrorMessageFormat)
            ?? ModuleMembers(type).FirstOrDefault(member => PathOf(member) == path)?.Name;
        if (own is not null)
            return own;
        foreach (var level in HoneSymbols.BasesAndSelf(type.BaseType))
        {
            var inherited = PredictorReader.PredictorMethods(level).FirstOrDefault(other => NameRules.PathOf(other.Name) == path)
                ?? ModuleMembers(level).FirstOrDefault(member => PathOf(member) == path);
            if (inherited is not null)
                return $"{level.Name}.{inherited.Name}";
        }

        return null;
    }

    private static IEnumerable<ISymbol> ModuleMembers(ITypeSymbol type) => type.GetMembers().OfType<IFieldSymbol>()
        .Where(field => !field.IsStatic && HoneSymbols.IsModule(field.Type))
        .Select(field => field.AssociatedSymbol ?? field);

    // A captured constructor parameter is a field called <name>P.
    private static string PathOf(ISymbol member) => NameRules.ToSnakeCase(member.Name.Split('>')[0].TrimStart('<')).TrimStart('_');
}
