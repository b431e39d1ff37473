using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;

namespace Hone.Generators;

/// <summary>
/// Writes the second half of partial predictor methods: an input and an output record, a readonly predictor field, the method body and the
/// GetChildren override. A method that cannot be a predictor gets a diagnostic and no code; the others of its class are not affected.
/// </summary>
[Generator(LanguageNames.CSharp)]
public sealed class PredictorGenerator : IIncrementalGenerator
{
    /// <summary>Tracking name of the step that reads methods: models and errors with their places.</summary>
    internal const string ReadingsStep = "Readings";

    /// <summary>Tracking name of the step that keeps the models alone.</summary>
    internal const string PredictorsStep = "Predictors";

    /// <summary>Tracking name of the step that groups them by class.</summary>
    internal const string ModulesStep = "Modules";

    /// <inheritdoc/>
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        var predict = Read(context, HoneSymbols.PredictAttribute);
        var chainOfThought = Read(context, HoneSymbols.ChainOfThoughtAttribute);
        var react = Read(context, HoneSymbols.ReActAttribute);

        // Errors come from here and not from an analyzer: a build that fails on a missing method body never gets to its analyzers.
        foreach (var readings in new[] { predict, chainOfThought, react })
        {
            context.RegisterSourceOutput(
                readings.SelectMany((reading, _) => reading.Problems),
                (output, problem) => output.ReportDiagnostic(problem.ToDiagnostic()));
        }

        var modules = Predictors(predict).Collect().Combine(Predictors(chainOfThought).Collect()).Combine(Predictors(react).Collect())
            .SelectMany((all, _) => Group(all.Left.Left.Concat(all.Left.Right).Concat(all.Right)))
            .WithTrackingName(ModulesStep);
        context.RegisterSourceOutput(modules, (output, module) => output.AddSource(module.Module.HintName, ModuleEmitter.Emit(module)));
    }

    private static IncrementalValuesProvider<PredictorReading> Read(IncrementalGeneratorInitializationContext context, string attribute) =>
        context.SyntaxProvider.ForAttributeWithMetadataName(attribute, (_, _) => true, PredictorReader.Read).WithTrackingName(ReadingsStep);

    private static IncrementalValuesProvider<PredictorModel> Predictors(IncrementalValuesProvider<PredictorReading> readings) =>
        readings.Where(reading => reading.Predictor is not null).Select((reading, _) => reading.Predictor!).WithTrackingName(PredictorsStep);

    private static IEnumerable<ModuleSource> Group(IEnumerable<PredictorModel> predictors) => predictors
        .GroupBy(predictor => predictor.Module)
        .Select(group => new ModuleSource(group.Key, new(group.OrderBy(predictor => predictor.Order))));
}
