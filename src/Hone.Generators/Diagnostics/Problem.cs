using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Text;

namespace Hone.Generators;

/// <summary>A diagnostic that compares by content. Apart from the models, so that moving an error does not touch generated source.</summary>
internal sealed record Problem(string Id, string Path, TextSpan Span, LinePositionSpan Lines, EquatableArray<string> Arguments)
{
    public static Problem At(DiagnosticDescriptor rule, Location location, params string[] arguments) =>
        new(rule.Id, location.SourceTree?.FilePath ?? string.Empty, location.SourceSpan, location.GetLineSpan().Span, new(arguments));

    public Diagnostic ToDiagnostic() => Diagnostic.Create(
        Descriptors.Of(Id), Path.Length == 0 ? Location.None : Location.Create(Path, Span, Lines), [.. Arguments.Cast<object>()]);
}

/// <summary>What was read from one predictor method: its model, or why it has none.</summary>
internal sealed record PredictorReading(PredictorModel? Predictor, EquatableArray<Problem> Problems)
{
    public static PredictorReading Failed(IEnumerable<Problem> problems) => new(null, new(problems));
}
