using System.Collections.Generic;
using System.Linq;
using System.Threading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Hone.Generators;

/// <summary>Reads one method with a predictor attribute: a model for the emitter, or problems for the author.</summary>
internal static class PredictorReader
{
    public const string Predict = "Predict";

    public const string ChainOfThought = "ChainOfThought";

    public const string ReAct = "ReAct";

    public static PredictorReading Read(GeneratorAttributeSyntaxContext context, CancellationToken cancellationToken)
    {
        if (ShapeRules.Check(context) is { } problem)
            return PredictorReading.Failed(IsFirstAttribute(context) ? [problem] : []);
        cancellationToken.ThrowIfCancellationRequested();

        var declaration = (MethodDeclarationSyntax)context.TargetNode;
        var method = (IMethodSymbol)context.TargetSymbol;
        var problems = new List<Problem>();
        var path = NameRules.PathOf(method.Name);
        var inputs = ReadInputs(method, problems);
        var result = ResultReader.Read(method, context.Attributes[0], path, (type, reason) => problems.Add(Problem.At(
            Descriptors.NotAField, declaration.ReturnType.GetLocation(), "The result", method.Name, ShortName(type), reason)));
        cancellationToken.ThrowIfCancellationRequested();

        problems.AddRange(NameChecks.Fields(declaration, method, KindOf(context), inputs, result));
        problems.AddRange(NameChecks.Path(declaration, method, path));
        var members = default((string Tools, string Options)?);
        if (KindOf(context) == ReAct)
        {
            members = AgentReader.Read(context, declaration, method, problems);
            if (result is { IsPrediction: true } or { IsStream: true } || method.Parameters.Any(parameter => HoneSymbols.IsCallOptions(parameter.Type)))
                problems.Add(Problem.At(Descriptors.NotAPredictor, declaration.Identifier.GetLocation(), method.Name, NotOneCall));
        }

        return problems.Count > 0
            ? PredictorReading.Failed(problems)
            : new(Model(context, declaration, method, path, inputs, result!, members), EquatableArray<Problem>.Empty);
    }

    private const string NotOneCall =
        "an agent makes many calls, so it returns Task<T> or ValueTask<T> and takes no CallOptions; keep a ReAct<TIn, TOut> in a field for its steps and its reason to stop";

    private static List<(string Name, FieldModel Field)> ReadInputs(IMethodSymbol method, List<Problem> problems)
    {
        var inputs = new List<(string Name, FieldModel Field)>();
        foreach (var parameter in method.Parameters.Where(parameter => !HoneSymbols.IsNoField(parameter.Type)))
        {
            if (FieldTypeRules.Refusal(parameter.Type) is { } reason)
            {
                problems.Add(Problem.At(
                    Descriptors.NotAField, parameter.Locations[0], $"Parameter '{parameter.Name}'", method.Name, ShortName(parameter.Type), reason));
            }

            var attributes = parameter.GetAttributes().Select(CodeWriter.ForRecordParameter).Where(text => text is not null);
            inputs.Add((
                NameRules.ToSnakeCase(parameter.Name),
                new(NameRules.Capitalize(parameter.Name), CodeWriter.Type(parameter.Type), new(attributes!), CodeWriter.Default(parameter))));
        }

        return inputs;
    }

    private static PredictorModel Model(
        GeneratorAttributeSyntaxContext context,
        MethodDeclarationSyntax declaration,
        IMethodSymbol method,
        string path,
        List<(string Name, FieldModel Field)> inputs,
        ResultReading result,
        (string Tools, string Options)? members)
    {
        var token = method.Parameters.FirstOrDefault(parameter => HoneSymbols.IsCancellationToken(parameter.Type));
        var options = method.Parameters.FirstOrDefault(parameter => HoneSymbols.IsCallOptions(parameter.Type));
        var values = method.Parameters.Where(parameter => !HoneSymbols.IsNoField(parameter.Type));
        var prefix = NameRules.TypePrefixOf(method.Name);
        return new()
        {
            Module = ModuleReader.Read(method.ContainingType, context.SemanticModel.Compilation),
            Order = PredictorMethods(method.ContainingType).TakeWhile(other => !SymbolEqualityComparer.Default.Equals(other, method)).Count(),
            Kind = KindOf(context),
            Instructions = InstructionsOf(context.Attributes[0]),
            Path = path,
            Modifiers = string.Join(" ", declaration.Modifiers.Where(word => !word.IsKind(SyntaxKind.PartialKeyword)).Select(word => word.Text)),
            ReturnType = CodeWriter.Type(method.ReturnType),
            Method = NameRules.Escape(method.Name),
            Parameters = new(method.Parameters.Select(Declaration)),
            Arguments = new(values.Select(parameter => NameRules.Escape(parameter.Name))),
            CancellationToken = token is null ? "default" : NameRules.Escape(token.Name),
            Options = options is null ? null : NameRules.Escape(options.Name),
            PredictionType = result.IsPrediction ? CodeWriter.Type(result.Value) : null,
            IsStream = result.IsStream,
            Field = FreeName(context, declaration, NameRules.FieldOf(method.Name), "Predictor"),
            Agent = members is { } named
                ? new(named.Tools, named.Options, FreeName(context, declaration, NameRules.FieldOf(method.Name) + "Agent", "Predictor"))
                : null,
            Factory = FreeName(context, declaration, "Create" + prefix, "Predictor"),
            Kept = KeptTypes.Of(values.Select(parameter => parameter.Type).Concat(result.FieldTypes)),
            OutputLocal = FreeLocal(method),
            InputType = FreeName(context, declaration, prefix + "Input", "Record"),
            OutputType = result.Shape == ResultShape.Record ? CodeWriter.Type(result.Type.WithNullableAnnotation(NullableAnnotation.NotAnnotated))
                : FreeName(context, declaration, prefix + "Output", "Record"),
            Shape = result.Shape,
            Inputs = new(inputs.Select(input => input.Field)),
            Outputs = result.Shape == ResultShape.Record ? EquatableArray<FieldModel>.Empty : new(result.Outputs.Select(output => output.Field)),
        };
    }

    /// <summary>The methods of a class that ask to be predictors, in declaration order.</summary>
    public static IEnumerable<IMethodSymbol> PredictorMethods(ITypeSymbol type) =>
        type.GetMembers().OfType<IMethodSymbol>().Where(method => HoneSymbols.PredictorAttributes(method).Any());

    // A method with several attributes is read several times and reported once.
    private static bool IsFirstAttribute(GeneratorAttributeSyntaxContext context) => context.TargetSymbol is not IMethodSymbol method
        || HoneSymbols.PredictorAttributes(method).FirstOrDefault()?.AttributeClass is not { } first
        || SymbolEqualityComparer.Default.Equals(first, context.Attributes[0].AttributeClass);

    private static string KindOf(GeneratorAttributeSyntaxContext context) =>
        HoneSymbols.Is(context.Attributes[0].AttributeClass, HoneSymbols.ChainOfThoughtAttribute) ? ChainOfThought
        : HoneSymbols.Is(context.Attributes[0].AttributeClass, HoneSymbols.ReActAttribute) ? ReAct
        : Predict;

    // A raw literal has the line ends of its file; a prompt must not change with the checkout.
    private static string? InstructionsOf(AttributeData attribute) =>
        (attribute.ConstructorArguments.FirstOrDefault().Value as string)?.Replace("\r\n", "\n");

    private static string Declaration(IParameterSymbol parameter) =>
        $"{(parameter.IsParams ? "params " : string.Empty)}{CodeWriter.Type(parameter.Type)} {NameRules.Escape(parameter.Name)}";

    // Another type or member of that name, in the class or visible from it, would change its meaning.
    private static string FreeName(GeneratorAttributeSyntaxContext context, MethodDeclarationSyntax declaration, string name, string suffix)
    {
        while (!context.SemanticModel.LookupSymbols(declaration.SpanStart, name: name).IsEmpty)
            name += suffix;
        return name;
    }

    private static string FreeLocal(IMethodSymbol method)
    {
        var name = "output";
        while (method.Parameters.Any(parameter => parameter.Name == name))
            name += "Record";
        return name;
    }

    private static string ShortName(ITypeSymbol type) => type.ToDisplayString(SymbolDisplayFormat.CSharpShortErrorMessageFormat);
}
