namespace Hone.Generators.Tests;

public class PredictorGeneratorTests
{
    [Fact]
    public void Generate_SingleValueResult_MatchesGolden() => Match("SingleValue", """
        namespace Demo.Research;

        public sealed partial class Hop(int hops) : Module<string, string>
        {
            [ChainOfThought("Given a claim and key facts, write the search query for the most useful missing fact.")]
            private partial Task<string> GenerateQuery(
                [Description("claim to verify")] string claim, IReadOnlyList<string> keyFacts, CancellationToken cancellationToken);

            protected override Task<string> ForwardAsync(string input, CancellationToken cancellationToken) =>
                GenerateQuery(input, [$"{hops}"], cancellationToken);
        }
        """);

    [Fact]
    public void Generate_TupleResult_MatchesGolden() => Match("Tuple", """
        namespace Demo;

        public sealed partial class Notes : Module<string, int>
        {
            [Predict("Extract notes and titles.")]
            [return: Output("titles", Description = "titles of the pages used")]
            private partial Task<(List<string> NewNotes, IReadOnlyList<string?> Titles)> AppendNotes(
                string claim, string? context, int limit = 3, CancellationToken cancellationToken = default);

            [Predict]
            internal partial ValueTask<int> CountAsync(
                string claim, DayOfWeek day = DayOfWeek.Monday, double? share = 0.5, CancellationToken token = default);

            protected override Task<int> ForwardAsync(string input, CancellationToken cancellationToken) => CountAsync(input).AsTask();
        }
        """);

    [Fact]
    public void Generate_RecordResult_MatchesGolden() => Match("Record", """
        public sealed record Verdict(bool IsTrue, string Why);

        public sealed partial class Judge : Module<string, Verdict>
        {
            private readonly Hone.Predict<string, string> rewrite = new();

            [ChainOfThought(null)]
            private partial ValueTask<Verdict?> Decide(string @class, CancellationToken stop);

            [Predict("Name the better one.", Output = "best_verdict")]
            private partial Task<Verdict> Choose(IReadOnlyList<Verdict> verdicts, CancellationToken stop);

            protected override async Task<Verdict> ForwardAsync(string input, CancellationToken cancellationToken) =>
                await Choose([await Decide(await rewrite.CallAsync(input, cancellationToken), default) ?? new(false, "")], cancellationToken);
        }
        """);

    [Fact]
    public void Generate_NestedGenericClass_MatchesGolden() => Match("NestedGeneric", """
        namespace Demo.@event;

        public static partial class Library<TKey>
            where TKey : notnull
        {
            internal partial record struct Shelf
            {
                public abstract partial class Extract<T> : Module<TKey, T>
                    where T : class
                {
                    [Predict("Read the document.\nKeep \"quotes\".")]
                    private protected partial Task<T> ReadDocument(TKey key, (string Title, T? Body) output, CancellationToken cancellationToken);
                }
            }
        }
        """);

    [Fact]
    public void Generate_NamesAlreadyTaken_MatchesGolden() => Match("TakenNames", """
        namespace Demo;

        public sealed record SolveInput(string Text);

        public sealed partial class Solver : Module<SolveInput, string>
        {
            private readonly string _solve = "solution";

            [Predict]
            [return: Output("solution"), Description("the number alone")]
            private partial Task<string> SolveAsync(
                SolveInput problem, [System.ComponentModel.DataAnnotations.Range(1, 9)] int output, CancellationToken cancellationToken);

            #pragma warning disable HONE005
            [Predict]
            private partial Task<bool> Check(params string[] steps);

            protected override IEnumerable<KeyValuePair<string, Module>> GetChildren() => base.GetChildren();

            protected override Task<string> ForwardAsync(SolveInput input, CancellationToken cancellationToken) =>
                SolveAsync(input, _solve.Length, cancellationToken);
        }
        """);

    [Fact]
    public void Generate_StreamedResult_MatchesGolden() => Match("Stream", """
        namespace Demo;

        public sealed partial class Writer : Module<string, string>
        {
            [Predict("Write a text.")]
            private partial IAsyncEnumerable<string> WriteAsync(string topic, CancellationToken cancellationToken = default);

            [ChainOfThought(Output = "ending")]
            [return: Description("one sentence")]
            private partial IAsyncEnumerable<string?> Close(IReadOnlyList<string> lines, CallOptions? options, CancellationToken stop);

            protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken)
            {
                var text = new List<string>();
                await foreach (var piece in WriteAsync(input, cancellationToken))
                    text.Add(piece);
                await foreach (var piece in Close(text, null, cancellationToken))
                    text.Add(piece ?? "");
                return string.Concat(text);
            }
        }
        """);

    [Fact]
    public void Generate_AgentMethod_MatchesGolden() => Match("Agent", """
        namespace Demo;

        public sealed partial class Desk(IReadOnlyList<Microsoft.Extensions.AI.AIFunction> tools) : Module<string, string>
        {
            private static ReActOptions Options => new() { MaxSteps = 5 };

            [ReAct("Book the trip.", Tools = nameof(tools), Options = nameof(Options))]
            private partial Task<string> BookTripAsync(string wish, (int Low, int High) price, CancellationToken cancellationToken = default);

            protected override Task<string> ForwardAsync(string input, CancellationToken cancellationToken) => BookTripAsync(input, (1, 2), cancellationToken);
        }
        """);

    [Fact]
    public void Generate_PartsInSeveralFiles_GivesOneFileInDeclarationOrder()
    {
        const string First = """
            namespace Demo;
            public sealed partial class Both : Module<string, string>
            {
                [Predict] private partial Task<string> WriteDraft(string topic, CancellationToken cancellationToken);
                [ChainOfThought] private partial Task<string> ReviewDraft(string text, CancellationToken cancellationToken);
                protected override Task<string> ForwardAsync(string input, CancellationToken cancellationToken) => Polish(input, cancellationToken);
            }
            """;
        const string Second = """
            namespace Demo;
            partial class Both
            {
                [Predict] private partial Task<string> Polish(string text, CancellationToken cancellationToken);
            }
            """;
        var compilation = TestCompilation.Create(First).AddSyntaxTrees(TestCompilation.Parse(Second, "Second.cs"));

        var result = TestCompilation.Driver().RunGenerators(compilation, TestContext.Current.CancellationToken).GetRunResult();

        var text = Assert.Single(result.Results.Single().GeneratedSources).SourceText.ToString();
        string[] paths = ["\"write_draft\"", "\"review_draft\"", "\"polish\""];
        var places = paths.Select(path => text.IndexOf(path, StringComparison.Ordinal)).ToArray();
        Assert.DoesNotContain(-1, places);
        Assert.Equal(places.Order(), places);
    }

    [Fact]
    public void Generate_ModuleTypesCalledPredict_AttributeIsUnambiguous()
    {
        // Hone has a class Predict that is no attribute and PredictAttribute; [Predict] must mean the latter.
        var program = TestCompilation.Generate("""
            public sealed partial class Ask : Module<string, string>
            {
                private readonly Predict<string, string> first = new();
                private readonly ChainOfThought<string, string> second = new();
                [Predict] private partial Task<string> Guess(string question, CancellationToken cancellationToken);
                [ChainOfThought] private partial Task<string> Think(string question, CancellationToken cancellationToken);
                protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken) =>
                    await Guess(input, cancellationToken) + await Think(input, cancellationToken)
                    + await first.CallAsync(input, cancellationToken) + await second.CallAsync(input, cancellationToken);
            }
            """);

        Assert.Single(program.Sources);
    }

    [Theory]
    [InlineData("Program", "protected override")]
    [InlineData("Hone.Tests", "protected internal override")]
    public void Generate_FriendOfHone_RepeatsInternal(string assembly, string modifiers)
    {
        // Hone shows its internals to Hone.Tests: there an override of a protected internal member must say so (CS0507).
        var program = TestCompilation.Generate(
            """
            public abstract partial class Ask : Module<string, string>
            {
                [Predict] private partial Task<string> Guess(string question, CancellationToken cancellationToken);
            }
            """,
            assembly);

        Assert.Contains($"    {modifiers} global::", program.Sources.Values.Single(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("public")]
    [InlineData("protected internal")]
    [InlineData("private protected")]
    [InlineData("public virtual")]
    [InlineData("protected override")]
    [InlineData("protected sealed override")]
    [InlineData("public new")]
    public void Generate_Modifiers_AreRepeated(string modifiers)
    {
        var method = modifiers.Contains("override", StringComparison.Ordinal) ? "Draft"
            : modifiers.Contains("new", StringComparison.Ordinal) ? "Old"
            : "Own";
        var program = TestCompilation.Generate($$"""
            public abstract class Base : Module<string, string>
            {
                protected virtual Task<string> Draft(string topic, CancellationToken cancellationToken) => Task.FromResult(topic);
                public Task<string> Old(string topic, CancellationToken cancellationToken) => Task.FromResult(topic);
            }
            public abstract partial class Ask : Base
            {
                [Predict] {{modifiers}} partial Task<string> {{method}}(string topic, CancellationToken cancellationToken);
            }
            """);

        Assert.Contains($"    {modifiers} async partial global::", program.Sources.Values.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public void Generate_GeneratedBaseInAnotherAssembly_Compiles()
    {
        var library = TestCompilation.Generate(
            """
            public abstract partial class Drafting : Module<string, string>
            {
                [Predict] protected partial Task<string> WriteDraft(string topic, CancellationToken cancellationToken);
            }
            """,
            "Library");
        using var image = new MemoryStream();
        Assert.True(library.Compilation.Emit(image, cancellationToken: TestContext.Current.CancellationToken).Success);
        var user = TestCompilation.Create("""
            public sealed partial class Editor : Drafting
            {
                [Predict] private partial Task<string> Polish(string draft, CancellationToken cancellationToken);
                protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken) =>
                    await Polish(await WriteDraft(input, cancellationToken), cancellationToken);
            }
            """).AddReferences(Microsoft.CodeAnalysis.MetadataReference.CreateFromImage(image.ToArray()));

        TestCompilation.Driver().RunGeneratorsAndUpdateCompilation(user, out var compilation, out var problems, TestContext.Current.CancellationToken);

        Assert.Empty(problems);
        Assert.DoesNotContain(
            compilation.GetDiagnostics(TestContext.Current.CancellationToken),
            diagnostic => diagnostic.Severity > Microsoft.CodeAnalysis.DiagnosticSeverity.Hidden);
    }

    [Fact]
    public void Generate_OneMethodIsWrong_OthersAreStillGenerated()
    {
        var program = TestCompilation.Run("""
            public abstract partial class Ask : Module<string, string>
            {
                [Predict] private partial Task<string> Guess(Action callback, CancellationToken cancellationToken);
                [Predict] private partial Task<string> Think(string question, CancellationToken cancellationToken);
            }
            """);

        Assert.Equal(["HONE003", "CS8795"], program.Diagnostics.Select(diagnostic => diagnostic.Id).Distinct());
        Assert.Contains("\"think\"", Assert.Single(program.Sources.Values), StringComparison.Ordinal);
    }

    [Fact]
    public void Generate_WindowsLineEndsInInstructions_BecomeLineFeeds()
    {
        var program = TestCompilation.Generate(
            "public abstract partial class Ask : Module<string, string>\n{\n[Predict(\"\"\"\r\n  One\r\n  Two\r\n  \"\"\")]"
            + " private partial Task<string> Guess(string question, CancellationToken cancellationToken);\n}");

        Assert.Contains("new(\"One\\nTwo\")", program.Sources.Values.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public void Generate_ObliviousNullability_CompilesWithoutWarnings()
    {
        var program = TestCompilation.Generate("""
            #nullable disable
            public abstract partial class Ask : Module<string, string>
            {
                [Predict] private partial Task<string> Guess(string question, List<string> facts, CancellationToken cancellationToken);
            }
            """);

        Assert.Single(program.Sources);
    }

    [Theory]
    [InlineData("byte x = 1", "byte X = (byte)(1)")]
    [InlineData("long x = -1", "long X = -1L")]
    [InlineData("float x = 1.5f", "float X = 1.5F")]
    [InlineData("double x = double.NaN", "double X = double.NaN")]
    [InlineData("decimal x = 0.10m", "decimal X = 0.10M")]
    [InlineData("char x = '\\''", "char X = '\\''")]
    [InlineData("bool x = true", "bool X = true")]
    [InlineData("string x = \"a\\\"b\\n\"", "string X = \"a\\\"b\\n\"")]
    [InlineData("string? x = null", "string? X = default")]
    [InlineData("DayOfWeek x = DayOfWeek.Friday", "global::System.DayOfWeek X = (global::System.DayOfWeek)(5)")]
    [InlineData("DayOfWeek? x = DayOfWeek.Friday", "global::System.DayOfWeek? X = (global::System.DayOfWeek)(5)")]
    [InlineData("DateTime x = default", "global::System.DateTime X = default")]
    [InlineData("int? x = 3", "int? X = 3")]
    [InlineData("ulong x = ulong.MaxValue", "ulong X = 18446744073709551615UL")]
    public void Generate_DefaultValue_IsCarriedOver(string parameter, string property)
    {
        var program = TestCompilation.Generate($$"""
            public abstract partial class Ask : Module<string, string>
            {
                [Predict] private partial Task<string> Guess({{parameter}}, CancellationToken cancellationToken = default);
            }
            """);

        Assert.Contains($"({property});", program.Sources.Values.Single(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[Description(\"a \\\"b\\\"\")]", "[property: global::System.ComponentModel.DescriptionAttribute(\"a \\\"b\\\"\")] ")]
    [InlineData("[Mark(typeof(List<int>), DayOfWeek.Friday, new[] { \"x\" }, Flag = true)]",
        "[property: global::MarkAttribute(typeof(global::System.Collections.Generic.List<int>), "
        + "(global::System.DayOfWeek)(5), new string[] { \"x\" }, Flag = true)] ")]
    [InlineData("[OnParameter(1.5)]", "[global::OnParameterAttribute(1.5D)] ")]
    [InlineData("[System.Diagnostics.CodeAnalysis.DisallowNull]", "")]
    public void Generate_ParameterAttribute_IsCarriedOver(string attribute, string carried)
    {
        var program = TestCompilation.Generate($$"""
            [AttributeUsage(AttributeTargets.Parameter | AttributeTargets.Property)]
            public sealed class MarkAttribute(Type type, DayOfWeek day, string[] words) : Attribute
            {
                public object All => (type, day, words);
                public bool Flag { get; set; }
            }
            [AttributeUsage(AttributeTargets.Parameter)]
            public sealed class OnParameterAttribute(object value) : Attribute { public object Value => value; }
            public abstract partial class Ask : Module<string, string>
            {
                [Predict] private partial Task<string> Guess({{attribute}} string text, CancellationToken cancellationToken);
            }
            """);

        var text = program.Sources.Values.Single();
        Assert.Contains($"{carried}string Text);", text, StringComparison.Ordinal);
        Assert.Equal(carried.Length > 0, text.Contains("] string Text", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("GenerateQuery", "generate_query", "Query")]
    [InlineData("AppendNotesAsync", "append_notes", "Notes")]
    [InlineData("Answer", "answer", "Answer")]
    [InlineData("SummarizeAsync", "summarize", "Answer")]
    [InlineData("WriteFollowUpQuestion", "write_follow_up_question", "FollowUpQuestion")]
    [InlineData("Async", "async", "Answer")]
    public void Generate_MethodName_GivesPathAndOutput(string method, string path, string output)
    {
        var program = TestCompilation.Generate($$"""
            public abstract partial class Ask : Module<string, string>
            {
                [Predict] private partial Task<string> {{method}}(string text, CancellationToken cancellationToken);
            }
            """);

        var text = program.Sources.Values.Single();
        Assert.Contains($"(\"{path}\", this.", text, StringComparison.Ordinal);
        Assert.Contains($"(string {output});", text, StringComparison.Ordinal);
    }

    private static void Match(string name, string source)
    {
        var program = TestCompilation.Generate(source);
        var files = program.Sources.OrderBy(file => file.Key, StringComparer.Ordinal).Select(file => $"// {file.Key}\n{file.Value}");
        var text = string.Join("\n", files);
        var version = typeof(PredictorGenerator).Assembly.GetName().Version!.ToString(3);
        GoldenFile.Match(name, text.Replace($"\"Hone.Generators\", \"{version}\"", "\"Hone.Generators\", \"VERSION\"", StringComparison.Ordinal));
    }
}
