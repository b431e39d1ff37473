using System.Collections.Immutable;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Hone.Generators;

/// <summary>HONE005: a predictor method without a CancellationToken. An analyzer, so that <c>#pragma warning</c> can switch it off.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class CancellationAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => [Descriptors.NoCancellation];

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterSymbolAction(Check, SymbolKind.Method);
    }

    private static void Check(SymbolAnalysisContext context)
    {
        var method = (IMethodSymbol)context.Symbol;
        if (method.PartialDefinitionPart is null
            && HoneSymbols.PredictorAttributes(method).Any()
            && !method.Parameters.Any(parameter => HoneSymbols.IsCancellationToken(parameter.Type))
            && method.Locations.FirstOrDefault(location => location.IsInSource) is { } place)
        {
            context.ReportDiagnostic(Diagnostic.Create(Descriptors.NoCancellation, place, method.Name));
        }
    }
}
