namespace Hone.Generators.Tests;

/// <summary>The errors of the generator: text, place, and that nothing wrong compiles silently.</summary>
public class ErrorTests
{
    [Fact]
    public void Hone001_ClassNotPartial_NamesTheClass()
    {
        var program = TestCompilation.Run("""
            public abstract class Ask : Module<string, string>
            {
                [Predict] private partial Task<string> Guess(string text, CancellationToken cancellationToken);
            }
            """);

        Assert.Equal(["HONE001: 'Ask' has the predictor method 'Guess' but is not partial; add the partial modifier"], program.Problems);
        Assert.Equal("Guess", program.TextAt("HONE001"));
    }

    [Fact]
    public void Hone001_ContainingClassNotPartial_NamesIt()
    {
        var program = TestCompilation.Run("""
            public static class Outer
            {
                public abstract partial class Ask : Module<string, string>
                {
                    [ChainOfThought] private partial Task<string> Guess(string text, CancellationToken cancellationToken);
                }
            }
            """);

        Assert.Equal(["HONE001: 'Outer' has the predictor method 'Guess' but is not partial; add the partial modifier"], program.Problems);
    }

    [Fact]
    public void Hone001_FileLocalClass_SaysWhy()
    {
        var program = TestCompilation.Run("""
            file abstract partial class Ask : Module<string, string>
            {
                [Predict] private partial Task<string> Guess(string text, CancellationToken cancellationToken);
            }
            """);

        Assert.Equal(
            ["HONE001: 'Ask' has the predictor method 'Guess' but is local to its file, so that generated code cannot add to it; make it internal"],
            program.Problems);
    }

    [Theory]
    [InlineData("private Task<string> Guess(string t, CancellationToken c) => null!;",
        "it has a body, which Hone writes; remove the body, or the attribute")]
    [InlineData("private partial Task<string> Guess(string t, CancellationToken c) { return null!; }",
        "it has a body, which Hone writes; remove the body, or the attribute")]
    [InlineData("private Task<string> Guess(string t, CancellationToken c);", "it is not partial; add the partial modifier")]
    [InlineData("private static partial Task<string> Guess(string t, CancellationToken c);",
        "it is static, but its predictor is a field of the module; remove static")]
    [InlineData("private partial Task<string> Guess<T>(T t, CancellationToken c);",
        "it is generic, but a predictor has one signature; make the class generic instead")]
    [InlineData("private partial Task<string> Guess(ref string t, CancellationToken c);", "parameter 't' is passed by reference; pass it by value")]
    [InlineData("private partial Task<string> Guess(in int t, CancellationToken c);", "parameter 't' is passed by reference; pass it by value")]
    [InlineData("private partial Task<string> Guess(out string t);", "parameter 't' is passed by reference; pass it by value")]
    [InlineData("private partial Task<string> Guess(CancellationToken t, CancellationToken c);", "it takes two cancellation tokens; keep one")]
    [InlineData("private partial Task<string> Guess(CancellationToken c);",
        "it has no inputs; give it a parameter for what the model should work on")]
    public void Hone002_MethodShape_SaysWhatToChange(string method, string reason)
    {
        var program = TestCompilation.Run($$"""
            public abstract partial class Ask : Module<string, string>
            {
                [Predict] {{method}}
            }
            """);

        Assert.Equal($"HONE002: 'Guess' cannot be a predictor: {reason}", program.Problems.First());
        Assert.Empty(program.Sources);
    }

    [Fact]
    public void Hone002_ImplementedElsewhere_IsRefused()
    {
        var program = TestCompilation.Run("""
            public abstract partial class Ask : Module<string, string>
            {
                [Predict] private partial Task<string> Guess(string text, CancellationToken cancellationToken);
                private partial Task<string> Guess(string text, CancellationToken cancellationToken) => Task.FromResult(text);
            }
            """);

        Assert.Equal(
            ["HONE002: 'Guess' cannot be a predictor: it has a body, which Hone writes; remove the body, or the attribute"], program.Problems);
    }

    [Fact]
    public void Hone002_ClassIsNoModule_IsRefused()
    {
        var program = TestCompilation.Run("""
            public partial class Ask
            {
                [Predict] private partial Task<string> Guess(string text, CancellationToken cancellationToken);
            }
            """);

        Assert.Equal(
            ["HONE002: 'Guess' cannot be a predictor: its class 'Ask' is no module; derive it from Hone.Module<TIn, TOut>"], program.Problems);
    }

    [Fact]
    public void Hone002_BothAttributes_IsRefused()
    {
        var program = TestCompilation.Run("""
            public abstract partial class Ask : Module<string, string>
            {
                [Predict, ChainOfThought] private partial Task<string> Guess(string text, CancellationToken cancellationToken);
            }
            """);

        Assert.Equal(["HONE002: 'Guess' cannot be a predictor: it has two predictor attributes; keep one"], program.Problems);
        Assert.Empty(program.Sources);
    }

    [Fact]
    public void Hone002_LocalFunction_IsRefused()
    {
        var program = TestCompilation.Run("""
            public sealed partial class Ask : Module<string, string>
            {
                protected override Task<string> ForwardAsync(string input, CancellationToken cancellationToken)
                {
                    return Guess(input);
                    [Predict] static Task<string> Guess(string text) => Task.FromResult(text);
                }
            }
            """);

        Assert.Contains("HONE002: 'Guess' cannot be a predictor: only methods of a module can be; declare a partial method", program.Problems);
    }

    [Theory]
    [InlineData("Action", "a delegate cannot be written as text")]
    [InlineData("int*", "a pointer means nothing to a model")]
    [InlineData("delegate*<int, void>", "a pointer means nothing to a model")]
    [InlineData("nint", "an address means nothing to a model; use long")]
    [InlineData("Span<char>", "a ref struct cannot be kept; pass an array, a list or text")]
    [InlineData("int[,]", "a model writes lists, not grids; use an array of arrays")]
    [InlineData("Task<int>", "it is not there yet; await it first and pass the value")]
    [InlineData("IAsyncEnumerable<int>", "it is not there yet; await it first and pass the value")]
    [InlineData("System.IO.Stream", "it is a live object, not a value; pass the data that you want the model to see")]
    [InlineData("System.IO.FileStream", "it is a live object, not a value; pass the data that you want the model to see")]
    [InlineData("Type", "it is a live object, not a value; pass the data that you want the model to see")]
    [InlineData("Module<string, string>", "it is a live object, not a value; pass the data that you want the model to see")]
    [InlineData("IServiceProvider", "it is a live object, not a value; pass the data that you want the model to see")]
    [InlineData("IDisposable", "an interface does not say which values to write; use a record, or a collection interface such as IReadOnlyList<T>")]
    [InlineData("System.Collections.IEnumerable",
        "the collection does not say what its items are; use one with an item type, such as IReadOnlyList<T>")]
    [InlineData("List<Action>", "its items are Action: a delegate cannot be written as text")]
    [InlineData("Dictionary<string, List<Action>>", "its items are List<Action>: its items are Action: a delegate cannot be written as text")]
    [InlineData("(int Count, Action Then)", "its element 'Then' is Action: a delegate cannot be written as text")]
    [InlineData("Node", "its property 'Visit' is Action?: a delegate cannot be written as text")]
    [InlineData("Lazy<Action>", "a delegate cannot be written as text")]
    [InlineData("Prediction<string>", "a prediction is no value; only a whole result can be one: Task<Prediction<T>>")]
    public void Hone003_ParameterType_NamesParameterAndReason(string type, string reason)
    {
        var program = TestCompilation.Run($$"""
            public sealed record Node(string Name, Node? Next, Action? Visit);
            public abstract unsafe partial class Ask : Module<string, string>
            {
                [Predict] private partial Task<string> Guess({{type}} thing, CancellationToken cancellationToken);
            }
            """);

        var problem = Assert.Single(program.Problems);
        Assert.StartsWith("HONE003: Parameter 'thing' of 'Guess' has the type '", problem, StringComparison.Ordinal);
        Assert.EndsWith($"', which cannot be a field: {reason}", problem, StringComparison.Ordinal);
        Assert.Equal("thing", program.TextAt("HONE003"));
    }

    [Theory]
    [InlineData("Task", "a predictor method returns Task<T> or ValueTask<T>, where T holds the outputs, or IAsyncEnumerable<string>")]
    [InlineData("string", "a predictor method returns Task<T> or ValueTask<T>, where T holds the outputs, or IAsyncEnumerable<string>")]
    [InlineData("IAsyncEnumerable<int>", "a stream gives the text of one output: IAsyncEnumerable<string>; for other outputs return Task<T>, "
        + "or keep a Predict<TIn, TOut> in a field and call its StreamAsync")]
    [InlineData("Task<IAsyncEnumerable<string>>", "it is not there yet; await it first and pass the value")]
    [InlineData("Task<Action>", "a delegate cannot be written as text")]
    [InlineData("Task<List<Prediction<string>>>", "its items are Prediction<string>: a prediction is no value; only a whole result can be one: Task<Prediction<T>>")]
    [InlineData("Task<(string, int)>", "its elements need names, which become the output fields: Task<(string Query, int Count)>")]
    [InlineData("Task<(string Query, int)>", "its elements need names, which become the output fields: Task<(string Query, int Count)>")]
    [InlineData("Task<Empty>", "it has no public properties that could be outputs")]
    public void Hone003_ResultType_SaysWhatIsAllowed(string type, string reason)
    {
        var program = TestCompilation.Run($$"""
            public sealed record Empty;
            public abstract partial class Ask : Module<string, string>
            {
                [Predict] private partial {{type}} Guess(string text, CancellationToken cancellationToken);
            }
            """);

        var problem = Assert.Single(program.Problems);
        Assert.StartsWith("HONE003: The result of 'Guess' has the type '", problem, StringComparison.Ordinal);
        Assert.EndsWith($"', which cannot be a field: {reason}", problem, StringComparison.Ordinal);
        Assert.Equal(type, program.TextAt("HONE003"));
    }

    [Theory]
    [InlineData("(string Query, int Count)", "[Predict(Output = \"x\")]", "each element of a tuple is an output of its own name; leave Output away")]
    [InlineData("(string Query, int Count)", "[Predict][return: Output(\"size\", Description = \"d\")]",
        "it has no element 'size' that [return: Output(\"size\")] could describe")]
    [InlineData("(string Query, int Count)", "[Predict][return: Description(\"d\")]",
        "does not say which element it is about; use [return: Output(\"name\", Description = \"…\")]")]
    [InlineData("Reply", "[Predict][return: Description(\"d\")]", "belongs on one of them; or make it one output with Output = \"…\"")]
    [InlineData("int", "[Predict(Output = \"a\")][return: Output(\"b\")]", "it is one output, but has the names a, b; keep one, or return a tuple")]
    public void Hone003_ResultAttributesThatDoNotFit_AreRefused(string type, string attributes, string reason)
    {
        var program = TestCompilation.Run($$"""
            public sealed record Reply(string Text);
            public abstract partial class Ask : Module<string, string>
            {
                {{attributes}} private partial Task<{{type}}> Guess(string text, CancellationToken cancellationToken);
            }
            """);

        Assert.EndsWith(reason, Assert.Single(program.Problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("string")]
    [InlineData("string?")]
    [InlineData("int[][]")]
    [InlineData("byte[]")]
    [InlineData("object")]
    [InlineData("dynamic")]
    [InlineData("DateOnly?")]
    [InlineData("Uri")]
    [InlineData("System.Numerics.BigInteger")]
    [InlineData("System.Text.Json.JsonElement")]
    [InlineData("System.Text.Json.Nodes.JsonNode")]
    [InlineData("IReadOnlyDictionary<string, IReadOnlyList<(int A, DayOfWeek B)>>")]
    [InlineData("System.Collections.Immutable.ImmutableArray<Tree>")]
    [InlineData("IReadOnlySet<Guid>")]
    [InlineData("Tree")]
    [InlineData("T")]
    [InlineData("List<T>")]
    [InlineData("Secret")]
    public void Hone003_FieldType_IsAccepted(string type)
    {
        var program = TestCompilation.Generate($$"""
            public sealed record Tree(string Name, IReadOnlyList<Tree> Children);
            public abstract partial class Ask<T> : Module<string, string>
            {
                [Predict] private partial Task<{{type}}> Guess({{type}} thing, CancellationToken cancellationToken);
                private sealed record Secret(string Text) { [System.Text.Json.Serialization.JsonIgnore] public Action? Callback => null; }
            }
            """.Replace("Task<Tree>", "Task<IReadOnlyList<Tree>>", StringComparison.Ordinal));

        Assert.Single(program.Sources);
    }

    [Fact]
    public void Hone004_OverloadsAndAsyncSuffix_NameTheFirst()
    {
        var program = TestCompilation.Run("""
            public abstract partial class Ask : Module<string, string>
            {
                [Predict] private partial Task<string> Guess(string text, CancellationToken cancellationToken);
                [Predict] private partial Task<string> Guess(int number, CancellationToken cancellationToken);
                [ChainOfThought] private partial Task<string> GuessAsync(string text, CancellationToken cancellationToken);
            }
            """);

        const string End = "is already that of 'Ask.Guess(string, CancellationToken)'; give each predictor its own name";
        Assert.Equal([$"HONE004: The path 'guess' of 'Guess' {End}", $"HONE004: The path 'guess' of 'GuessAsync' {End}"], program.Problems);
        Assert.Single(program.Sources);
    }

    [Theory]
    [InlineData("private readonly Predict<string, string> generateQuery = new();", "generateQuery")]
    [InlineData("private readonly Predict<string, string> _generateQuery = new();", "_generateQuery")]
    [InlineData("public Predict<string, string> Generate_Query { get; } = new();", "Generate_Query")]
    public void Hone004_HandWrittenModuleField_IsNamed(string field, string name)
    {
        var program = TestCompilation.Run($$"""
            public abstract partial class Ask : Module<string, string>
            {
                {{field}}
                protected Task<string> Use() => {{name}}.CallAsync("");
                [Predict] private partial Task<string> GenerateQuery(string text, CancellationToken cancellationToken);
            }
            """);

        Assert.Equal(
            [$"HONE004: The path 'generate_query' of 'GenerateQuery' is already that of '{name}'; give each predictor its own name"],
            program.Problems);
    }

    [Fact]
    public void Hone004_PredictorOfBaseClass_IsNamed()
    {
        var program = TestCompilation.Run("""
            public abstract partial class Base<T> : Module<string, T>
            {
                [Predict] private partial Task<string> Guess(string text, CancellationToken cancellationToken);
            }
            public abstract partial class Ask : Base<string>
            {
                [Predict] private partial Task<string> Guess(string text, CancellationToken cancellationToken);
            }
            """);

        Assert.Equal(["HONE004: The path 'guess' of 'Guess' is already that of 'Base.Guess'; give each predictor its own name"], program.Problems);
    }

    [Theory]
    [InlineData("[Predict] private partial Task<string> AppendNotes(string notes, CancellationToken c);",
        "output 'notes' of 'AppendNotes' has the name of an input; name it in the attribute: Output = \"…\"")]
    [InlineData("[Predict] private partial Task<(string Notes, int Count)> Append(string notes, CancellationToken c);",
        "output 'notes' of 'Append' has the name of an input; rename the element")]
    [InlineData("[Predict] private partial Task<Reply> Append(string notes, CancellationToken c);",
        "output 'notes' of 'Append' has the name of an input; rename the property")]
    [InlineData("[Predict] private partial Task<Reply> Append(string renamed, CancellationToken c);",
        "output 'renamed' of 'Append' has the name of an input; rename the property")]
    [InlineData("[Predict] private partial Task<string> Append(string keyFacts, string KeyFacts, CancellationToken c);",
        "input 'key_facts' of 'Append' is there twice; rename a parameter")]
    [InlineData("[Predict(Output = \"completed\")] private partial Task<string> Append(string text, CancellationToken c);",
        "output 'completed' of 'Append' has the name of the marker that ends an answer; name it in the attribute: Output = \"…\"")]
    [InlineData("[ChainOfThought] private partial Task<string> Append(string reasoning, CancellationToken c);",
        "input 'reasoning' of 'Append' has the name of the field that chain of thought adds to the outputs; rename the parameter")]
    [InlineData("[Predict] private partial Task<string> Append(string clone, CancellationToken c);",
        "input 'clone' of 'Append' has the name of a member of every record; rename the parameter")]
    [InlineData("[Predict(Output = \"to_string\")] private partial Task<string> Append(string text, CancellationToken c);",
        "output 'to_string' of 'Append' has the name of a member of every record; name it in the attribute: Output = \"…\"")]
    [InlineData("[Predict(Output = \"two words\")] private partial Task<string> Append(string text, CancellationToken c);",
        "output 'two words' of 'Append' is no name; use letters, digits and underscores, not starting with a digit")]
    public void Hone007_NameTaken_SaysByWhat(string method, string message)
    {
        var program = TestCompilation.Run($$"""
            public sealed record Reply(string Notes, [property: System.Text.Json.Serialization.JsonPropertyName("renamed")] int Count);
            public abstract partial class Ask : Module<string, string>
            {
                {{method}}
            }
            """);

        Assert.Equal([$"HONE007: The {message}"], program.Problems);
    }

    [Fact]
    public void Hone007_OverriddenProperty_IsOneField() => Assert.Empty(TestCompilation.Run("""
        public abstract record Reply { public abstract string Text { get; init; } }
        public sealed record Short : Reply { public override string Text { get; init; } = ""; public int Length { get; init; } }
        public abstract partial class Ask : Module<string, string>
        {
            [Predict] private partial Task<Short> Append(string notes, CancellationToken c);
        }
        """).Problems);

    [Fact]
    public void Hone007_ReasoningAsInputOfPredict_IsFine()
    {
        var program = TestCompilation.Generate("""
            public abstract partial class Ask : Module<string, string>
            {
                [Predict] private partial Task<(string Reasoning, bool Ok)> Check(string draft, CancellationToken cancellationToken);
                [Predict] private partial Task<bool> Grade(string reasoning, CancellationToken cancellationToken);
                [ChainOfThought] private partial Task<(string Reasoning, bool Ok)> Review(string draft, CancellationToken cancellationToken);
            }
            """);

        Assert.Single(program.Sources);
    }
}
