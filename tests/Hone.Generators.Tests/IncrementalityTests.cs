using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Hone.Generators.Tests;

/// <summary>Typing elsewhere must not generate anything again; typing in a signature must.</summary>
public class IncrementalityTests
{
    private const string Program = """
        public sealed partial class Ask : Module<string, string>
        {
            // comment
            [Predict("Guess.")] private partial Task<string> Guess(string text, CancellationToken cancellationToken);
            [ChainOfThought("Think.")] private partial Task<(string Why, bool Ok)> Think(string text, CancellationToken cancellationToken);
            protected override Task<string> ForwardAsync(string input, CancellationToken cancellationToken) => Guess(input, cancellationToken);
        }

        public abstract partial class Other : Module<string, string>
        {
            [Predict("Another.")] private partial Task<string> Answer(string text, CancellationToken cancellationToken);
        }
        """;

    private static readonly string[] Steps =
        [PredictorGenerator.ReadingsStep, PredictorGenerator.PredictorsStep, PredictorGenerator.ModulesStep, "SourceOutput"];

    [Fact]
    public void Run_UnrelatedFileEdited_EverythingIsCached()
    {
        var reasons = RunTwice(compilation => compilation.AddSyntaxTrees(TestCompilation.Parse("public class Unrelated;", "Unrelated.cs")));

        Assert.All(reasons.Values.SelectMany(each => each), IsKept);
    }

    [Fact]
    public void Run_BodyAndCommentEditedInSameFile_EverythingIsCached()
    {
        var reasons = RunTwice(Edit(text => text
            .Replace("// comment", "// a comment that is longer\n\n", StringComparison.Ordinal)
            .Replace("=> Guess(input, cancellationToken)", "=> Guess(input + \"?\", cancellationToken)", StringComparison.Ordinal)));

        Assert.All(reasons.Values.SelectMany(each => each), IsKept);
        Assert.Contains(IncrementalStepRunReason.Unchanged, reasons[PredictorGenerator.ReadingsStep]);
    }

    [Fact]
    public void Run_OneSignatureEdited_OnlyItsClassIsGeneratedAgain()
    {
        var reasons = RunTwice(Edit(text => text.Replace("Guess.", "Guess well.", StringComparison.Ordinal)));

        Assert.Equal([IncrementalStepRunReason.Modified, IncrementalStepRunReason.Unchanged], reasons[PredictorGenerator.ModulesStep].Order());
        Assert.Single(reasons["SourceOutput"], IncrementalStepRunReason.Modified);
    }

    [Fact]
    public void Run_ErrorMoves_GoodSourcesAreCached()
    {
        const string Wrong = """
            public abstract partial class Wrong : Module<int, int>
            {
                [Predict] private partial Task<int> Count(Action step, CancellationToken cancellationToken);
            }
            """;
        var reasons = RunTwice(
            Edit(text => text.Replace("// comment", "// comment\n\n", StringComparison.Ordinal)), Program + "\n" + Wrong);

        Assert.Contains(IncrementalStepRunReason.Modified, reasons[PredictorGenerator.ReadingsStep]);
        Assert.All(reasons[PredictorGenerator.PredictorsStep].Concat(reasons[PredictorGenerator.ModulesStep]), IsKept);
    }

    [Fact]
    public void Models_AreEqualByContent()
    {
        var first = new EquatableArray<string>(["a", "b"]);
        var second = new EquatableArray<string>(["a", "b"]);

        Assert.Equal(first, second);
        Assert.Equal(first.GetHashCode(), second.GetHashCode());
        Assert.NotEqual(first, new EquatableArray<string>(["b", "a"]));
    }

    private static void IsKept(IncrementalStepRunReason reason) =>
        Assert.True(reason is IncrementalStepRunReason.Cached or IncrementalStepRunReason.Unchanged, $"{reason}");

    private static Func<CSharpCompilation, CSharpCompilation> Edit(Func<string, string> change) => compilation =>
    {
        var tree = compilation.SyntaxTrees.Single();
        var text = tree.ToString();
        var edited = change(text);
        Assert.NotEqual(text, edited);
        return compilation.ReplaceSyntaxTree(tree, CSharpSyntaxTree.ParseText(edited, (CSharpParseOptions)tree.Options, tree.FilePath));
    };

    private static Dictionary<string, List<IncrementalStepRunReason>> RunTwice(
        Func<CSharpCompilation, CSharpCompilation> edit, string program = Program)
    {
        var compilation = TestCompilation.Create(program);
        var driver = TestCompilation.Driver().RunGenerators(compilation, TestContext.Current.CancellationToken);
        var result = driver.RunGenerators(edit(compilation), TestContext.Current.CancellationToken).GetRunResult().Results.Single();
        return result.TrackedSteps
            .Where(step => Steps.Contains(step.Key))
            .ToDictionary(
                step => step.Key,
                step => step.Value.SelectMany(run => run.Outputs).Select(output => output.Reason).ToList());
    }
}
