using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Hone.Generators.Tests;

/// <summary>A program given as text, compiled with the generator and the analyzers.</summary>
internal static class TestCompilation
{
    /// <summary>Usings of every test program.</summary>
    public const string Usings = """
        using System;
        using System.Collections.Generic;
        using System.ComponentModel;
        using System.Threading;
        using System.Threading.Tasks;
        using Hone;

        """;

    private static readonly CSharpParseOptions ParseOptions = new(LanguageVersion.Preview);

    // The framework, Hone, and what Hone's own signatures mention.
    private static readonly ImmutableArray<MetadataReference> References =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path) is var file
                && (file.StartsWith("System.", StringComparison.Ordinal) || file is "netstandard.dll" or "Microsoft.Extensions.AI.Abstractions.dll"))
            .Append(typeof(Module).Assembly.Location)
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    public static CSharpCompilation Create(string source, string assemblyName = "Program") => CSharpCompilation.Create(
        assemblyName,
        [Parse(source, "Program.cs")],
        References,
        new(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable, allowUnsafe: true));

    public static SyntaxTree Parse(string source, string path) => CSharpSyntaxTree.ParseText(Usings + source, ParseOptions, path);

    public static CSharpGeneratorDriver Driver() => CSharpGeneratorDriver.Create(
        [new PredictorGenerator().AsSourceGenerator()],
        parseOptions: ParseOptions,
        driverOptions: new(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));

    /// <summary>Generates and compiles; the program must be free of errors and warnings.</summary>
    public static GeneratedProgram Generate(string source, string assemblyName = "Program")
    {
        var run = Run(source, assemblyName);
        Assert.Empty(run.Diagnostics);
        return run;
    }

    /// <summary>Generates and compiles; diagnostics of generator, compiler (from warnings up) and analyzers are kept.</summary>
    public static GeneratedProgram Run(string source, string assemblyName = "Program")
    {
        var driver = Driver().RunGeneratorsAndUpdateCompilation(
            Create(source, assemblyName), out var compilation, out var problems, TestContext.Current.CancellationToken);
        var sources = driver.GetRunResult().Results.Single().GeneratedSources;
        var compiled = compilation.GetDiagnostics(TestContext.Current.CancellationToken)
            .Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning);
        var analyzers = compilation.WithAnalyzers([new CancellationAnalyzer(), new ModuleStateAnalyzer(), .. TrimAnalyzers.All], TrimAnalyzers.Options);
        var analyzed = analyzers.GetAnalyzerDiagnosticsAsync(TestContext.Current.CancellationToken).GetAwaiter().GetResult();
        return new(
            (CSharpCompilation)compilation,
            sources.ToDictionary(text => text.HintName, text => text.SourceText.ToString()),
            [.. problems, .. compiled, .. analyzed]);
    }
}

/// <summary>What came out.</summary>
internal sealed record GeneratedProgram(
    CSharpCompilation Compilation, IReadOnlyDictionary<string, string> Sources, ImmutableArray<Diagnostic> Diagnostics)
{
    /// <summary>Hone's own diagnostics as <c>ID: message</c>.</summary>
    public IEnumerable<string> Problems => Diagnostics.Where(diagnostic => diagnostic.Id.StartsWith("HONE", StringComparison.Ordinal))
        .Select(diagnostic => $"{diagnostic.Id}: {diagnostic.GetMessage(null)}");

    /// <summary>The source text under a diagnostic.</summary>
    public string TextAt(string id)
    {
        var place = Diagnostics.First(diagnostic => diagnostic.Id == id).Location;
        return Compilation.SyntaxTrees.First(tree => tree.FilePath == place.GetLineSpan().Path).GetText().ToString(place.SourceSpan);
    }
}
