using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Hone.Generators.Tests;

/// <summary>The SDK's analyzers for trimming and native compilation, switched on as <c>IsAotCompatible</c> does.</summary>
internal static class TrimAnalyzers
{
    /// <summary>The analyzers.</summary>
    public static ImmutableArray<DiagnosticAnalyzer> All { get; } = Load();

    /// <summary>Options that switch them on.</summary>
    public static AnalyzerOptions Options { get; } = new([], new SwitchedOn());

    private static ImmutableArray<DiagnosticAnalyzer> Load()
    {
        var path = typeof(TrimAnalyzers).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "TrimAnalyzer").Value!;
        var analyzers = new AnalyzerFileReference(path, new Loader()).GetAnalyzers(LanguageNames.CSharp);
        Assert.NotEmpty(analyzers);
        return analyzers;
    }

    private sealed class Loader : IAnalyzerAssemblyLoader
    {
        public void AddDependencyLocation(string fullPath)
        {
        }

        [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Tests are not trimmed.")]
        public Assembly LoadFromPath(string fullPath) => Assembly.LoadFrom(fullPath);
    }

    private sealed class SwitchedOn : AnalyzerConfigOptionsProvider
    {
        public override AnalyzerConfigOptions GlobalOptions { get; } = new Values();

        public override AnalyzerConfigOptions GetOptions(SyntaxTree tree) => GlobalOptions;

        public override AnalyzerConfigOptions GetOptions(AdditionalText textFile) => GlobalOptions;

        private sealed class Values : AnalyzerConfigOptions
        {
            public override bool TryGetValue(string key, [NotNullWhen(true)] out string? value)
            {
                value = key is "build_property.EnableTrimAnalyzer" or "build_property.EnableAotAnalyzer" or "build_property.EnableSingleFileAnalyzer" ? "true" : null;
                return value is not null;
            }
        }
    }
}
