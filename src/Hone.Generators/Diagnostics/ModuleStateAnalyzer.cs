using System.Collections.Immutable;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Hone.Generators;

/// <summary>
/// HONE006: modules run many times at once, so a field that can change between calls mixes runs. Covers fields, settable auto-properties,
/// and primary-constructor parameters that are assigned.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class ModuleStateAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => [Descriptors.MutableState];

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterSymbolAction(CheckFields, SymbolKind.NamedType);
        context.RegisterOperationAction(
            CheckAssignment,
            OperationKind.SimpleAssignment,
            OperationKind.CompoundAssignment,
            OperationKind.CoalesceAssignment,
            OperationKind.Increment,
            OperationKind.Decrement);
    }

    private static void CheckFields(SymbolAnalysisContext context)
    {
        var type = (INamedTypeSymbol)context.Symbol;
        if (type.TypeKind != TypeKind.Class || !HoneSymbols.IsModule(type))
            return;
        foreach (var member in type.GetMembers())
        {
            if (AdviceOn(member) is var (place, advice) && place.Locations.FirstOrDefault(location => location.IsInSource) is { } location)
                context.ReportDiagnostic(Diagnostic.Create(Descriptors.MutableState, location, place.Name, type.Name, advice));
        }
    }

    private static (ISymbol Member, string Advice)? AdviceOn(ISymbol member) => member switch
    {
        IFieldSymbol field when IsMutable(field) && field.AssociatedSymbol is IPropertySymbol property =>
            (property, "make it init-only, or keep what belongs to a run in local variables"),
        IFieldSymbol field when IsMutable(field) => (field, "make it readonly, or keep what belongs to a run in local variables"),
        IEventSymbol { IsStatic: false, IsAbstract: false, AddMethod.IsImplicitlyDeclared: true } =>
            (member, "report progress through the trace of the run"),
        _ => null,
    };

    // A captured constructor parameter is a field without a readonly flag; whether it changes is seen where it is assigned.
    private static bool IsMutable(IFieldSymbol field) =>
        field is { IsStatic: false, IsReadOnly: false, IsConst: false } && (!field.IsImplicitlyDeclared || field.AssociatedSymbol is not null);

    private static void CheckAssignment(OperationAnalysisContext context)
    {
        var target = context.Operation switch
        {
            IAssignmentOperation assignment => assignment.Target,
            IIncrementOrDecrementOperation increment => increment.Target,
            _ => null,
        };
        if (target is IParameterReferenceOperation { Parameter: var parameter }
            && parameter.ContainingSymbol is IMethodSymbol { MethodKind: MethodKind.Constructor } constructor
            && HoneSymbols.IsModule(constructor.ContainingType)
            && constructor.DeclaringSyntaxReferences.Any(reference => reference.GetSyntax(context.CancellationToken) is TypeDeclarationSyntax))
        {
            context.ReportDiagnostic(Diagnostic.Create(
                Descriptors.MutableState,
                target.Syntax.GetLocation(),
                parameter.Name,
                constructor.ContainingType.Name,
                "do not assign a constructor parameter, keep what belongs to a run in local variables"));
        }
    }
}
