using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Hone.Generators;

/// <summary>Finds the members that an agent method names: its tools and its options (HONE008).</summary>
internal static class AgentReader
{
    private const string Tools = "Tools";
    private const string Options = "Options";

    /// <summary>The expressions for tools and options; null, with problems for the author, when one of them cannot be found.</summary>
    public static (string Tools, string Options)? Read(
        GeneratorAttributeSyntaxContext context, MethodDeclarationSyntax declaration, IMethodSymbol method, List<Problem> problems)
    {
        var tools = NameOf(context, Tools);
        var options = NameOf(context, Options);
        if (string.IsNullOrEmpty(tools))
            Refuse("it names no tools; write [ReAct(\"…\", Tools = nameof(MyTools))], where MyTools is a member that holds AIFunctions");
        var found = string.IsNullOrEmpty(tools) ? null : Find(Tools, tools!, "the tools, an IEnumerable<AIFunction> such as AIFunction[]", IsTools);
        var chosen = string.IsNullOrEmpty(options) ? "null" : Find(Options, options!, "the options, a ReActOptions", IsOptions);
        return found is null || chosen is null ? null : (found, chosen);

        void Refuse(string reason) => problems.Add(Problem.At(Descriptors.AgentMember, declaration.Identifier.GetLocation(), method.Name, reason));

        string? Find(string argument, string name, string what, System.Func<ITypeSymbol, bool> fits)
        {
            var candidates = Candidates(method.ContainingType, name, context.SemanticModel.Compilation).ToList();
            var value = candidates.FirstOrDefault(candidate => candidate.Type is { } type && fits(type));
            if (value.Type is not null)
                return value.Expression;
            Refuse(candidates.Count == 0
                ? $"'{name}' in {argument} is no field, property, method or constructor parameter of '{method.ContainingType.Name}'; name a member with {what}"
                : candidates[0].Type is { } other
                    ? $"'{name}' in {argument} is of type '{other.ToDisplayString(SymbolDisplayFormat.CSharpShortErrorMessageFormat)}'; it must give {what}"
                    : $"'{name}' in {argument} cannot be read without arguments; name a field, a property with a getter, or a method without parameters");
            return null;
        }
    }

    private static string? NameOf(GeneratorAttributeSyntaxContext context, string argument) =>
        context.Attributes[0].NamedArguments.FirstOrDefault(named => named.Key == argument).Value.Value as string;

    // What a name can mean inside the class, nearest first; without a type when it cannot be read.
    private static IEnumerable<(string Expression, ITypeSymbol? Type)> Candidates(INamedTypeSymbol type, string name, Compilation compilation)
    {
        var escaped = NameRules.Escape(name);
        foreach (var level in HoneSymbols.BasesAndSelf(type))
        {
            foreach (var member in level.GetMembers(name).Where(member => compilation.IsSymbolAccessibleWithin(member, type)))
            {
                switch (member)
                {
                    case IFieldSymbol field:
                        yield return (escaped, field.Type);
                        break;
                    case IPropertySymbol { IsIndexer: false } property:
                        yield return (escaped, property.GetMethod is null ? null : property.Type);
                        break;
                    case IMethodSymbol { MethodKind: MethodKind.Ordinary } own:
                        yield return ($"{escaped}()", own.Parameters.IsEmpty && !own.IsGenericMethod && !own.ReturnsVoid ? own.ReturnType : null);
                        break;
                }
            }
        }

        // Parameters of the class itself are values in all of it.
        foreach (var parameter in type.InstanceConstructors
            .Where(constructor => constructor.DeclaringSyntaxReferences.Any(reference => reference.GetSyntax() is TypeDeclarationSyntax))
            .SelectMany(constructor => constructor.Parameters)
            .Where(parameter => parameter.Name == name))
        {
            yield return (escaped, parameter.Type);
        }
    }

    private static bool IsTools(ITypeSymbol type)
    {
        var item = type switch
        {
            IArrayTypeSymbol array => array.ElementType,
            INamedTypeSymbol named => HoneSymbols.ItemType(named),
            _ => null,
        };
        return HoneSymbols.BasesAndSelf(item).Any(candidate => HoneSymbols.Is(candidate, "Microsoft.Extensions.AI.AIFunction"));
    }

    private static bool IsOptions(ITypeSymbol type) => HoneSymbols.Is(type, "Hone.ReActOptions");
}
