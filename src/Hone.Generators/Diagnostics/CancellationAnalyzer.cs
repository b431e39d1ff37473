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
        context.RegisterSymbolAction(Check, SymbolKind.NamedType);
    }

    // By class and not by method: of a partial method, an analyzer is shown the generated half.
    private static void Check(SymbolAnalysisContext context)
    {
        foreach (var method in PredictorReader.PredictorMethods((INamedTypeSymbol)context.Symbol))
        {
            if (!method.Parameters.Any(parameter => HoneSymbols.IsCancellationToken(parameter.Type))
                && method.Locations.FirstOrDefault(location => location.IsInSource) is { } place)
            {
                context.ReportDiagnostic(Diagnostic.Create(Descriptors.NoCancellation, place, method.Name));
            }
        }
    }
}
