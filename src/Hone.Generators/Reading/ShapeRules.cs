using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Hone.Generators;

/// <summary>What a method and its class must look like before anything else about them matters: HONE001 and HONE002.</summary>
internal static class ShapeRules
{
    public static Problem? Check(GeneratorAttributeSyntaxContext context)
    {
        var name = context.TargetSymbol.Name;
        if (context.TargetNode is not MethodDeclarationSyntax declaration || context.TargetSymbol is not IMethodSymbol method)
            return Refuse(context.TargetNode.GetLocation(), "only methods of a module can be; declare a partial method");
        var place = declaration.Identifier.GetLocation();
        if (!HoneSymbols.IsModule(method.ContainingType))
            return Refuse(place, $"its class '{method.ContainingType.Name}' is no module; derive it from Hone.Module<TIn, TOut>");
        return Closed(declaration) is { } closed ? Problem.At(Descriptors.NotPartial, place, closed.Identifier.Text, name, ReasonOf(closed))
            : ReasonAgainst(declaration, method) is { } reason ? Refuse(place, reason)
            : null;

        Problem Refuse(Location location, string reason) => Problem.At(Descriptors.NotAPredictor, location, name, reason);
    }

    // The innermost class around the method that generated code cannot add to.
    private static TypeDeclarationSyntax? Closed(MethodDeclarationSyntax declaration) => declaration.Ancestors().OfType<TypeDeclarationSyntax>()
        .FirstOrDefault(type => !type.Modifiers.Any(SyntaxKind.PartialKeyword) || type.Modifiers.Any(SyntaxKind.FileKeyword));

    private static string ReasonOf(TypeDeclarationSyntax closed) => closed.Modifiers.Any(SyntaxKind.FileKeyword)
        ? "is local to its file, so that generated code cannot add to it; make it internal"
        : "is not partial; add the partial modifier";

    private static string? ReasonAgainst(MethodDeclarationSyntax declaration, IMethodSymbol method)
    {
        if (HoneSymbols.PredictorAttributes(method).Count() > 1)
            return "it has two predictor attributes; keep one";
        if (declaration.Body is not null || declaration.ExpressionBody is not null || method.PartialImplementationPart is not null)
            return "it has a body, which Hone writes; remove the body, or the attribute";
        if (!declaration.Modifiers.Any(SyntaxKind.PartialKeyword))
            return "it is not partial; add the partial modifier";
        if (method.IsStatic)
            return "it is static, but its predictor is a field of the module; remove static";
        if (method.IsGenericMethod)
            return "it is generic, but a predictor has one signature; make the class generic instead";
        if (method.Parameters.FirstOrDefault(parameter => parameter.RefKind != RefKind.None) is { } reference)
            return $"parameter '{reference.Name}' is passed by reference; pass it by value";
        if (method.Parameters.Count(parameter => HoneSymbols.IsCancellationToken(parameter.Type)) > 1)
            return "it takes two cancellation tokens; keep one";
        if (method.Parameters.Count(parameter => HoneSymbols.IsCallOptions(parameter.Type)) > 1)
            return "it takes the options of a call twice; keep one";
        if (method.Parameters.All(parameter => HoneSymbols.IsNoField(parameter.Type)))
            return "it has no inputs; give it a parameter for what the model should work on";
        return null;
    }
}
