namespace Hone.Generators.Tests;

/// <summary>What is said of agent methods whose tools or options cannot be found, and of what an agent cannot return.</summary>
public class AgentErrorTests
{
    private const string WantsTools = "the tools, an IEnumerable<AIFunction> such as AIFunction[]";

    [Theory]
    [InlineData("[ReAct]", "", "it names no tools; write [ReAct(\"…\", Tools = nameof(MyTools))], where MyTools is a member that holds AIFunctions")]
    [InlineData("[ReAct(Tools = \"Nothing\")]", "", "'Nothing' in Tools is no field, property, method or constructor parameter of 'Ask'; name a member with " + WantsTools)]
    [InlineData("[ReAct(Tools = nameof(Mine))]", "static string Mine => \"\";", "'Mine' in Tools is of type 'string'; it must give " + WantsTools)]
    [InlineData("[ReAct(Tools = nameof(Mine))]", "List<string> Mine() => [];", "'Mine' in Tools is of type 'List<string>'; it must give " + WantsTools)]
    [InlineData("[ReAct(Tools = nameof(Mine))]", "AIFunction Mine() => null!;", "'Mine' in Tools is of type 'AIFunction'; it must give " + WantsTools)]
    [InlineData("[ReAct(Tools = nameof(Mine))]", "AIFunction[] Mine(int i) => [];",
        "'Mine' in Tools cannot be read without arguments; name a field, a property with a getter, or a method without parameters")]
    [InlineData("[ReAct(Tools = nameof(Mine))]", "AIFunction[] Mine { set { } }",
        "'Mine' in Tools cannot be read without arguments; name a field, a property with a getter, or a method without parameters")]
    [InlineData("[ReAct(Tools = nameof(Mine), Options = nameof(Mine))]", "AIFunction[] Mine => [];",
        "'Mine' in Options is of type 'AIFunction[]'; it must give the options, a ReActOptions")]
    public void Hone008_Member_SaysWhatIsWrong(string attribute, string member, string reason)
    {
        var program = Run($"{attribute} private partial Task<string> Guess(string text, CancellationToken c);", member);
        Assert.Equal([$"HONE008: 'Guess' cannot be an agent: {reason}"], program.Problems);
        Assert.Equal("Guess", program.TextAt("HONE008"));
        Assert.Empty(program.Sources);
    }

    [Theory]
    [InlineData("static readonly AIFunction[] Mine = [];")]
    [InlineData("ImmutableArray<AIFunction> Mine => [];")]
    [InlineData("readonly List<AIFunction> Mine = [];")]
    [InlineData("IEnumerable<AIFunction> Mine() => [];")]
    [InlineData("ICollection<ApprovalRequiredAIFunction> Mine => [];")]
    [InlineData("AIFunction[] Mine(int i) => []; AIFunction[] Mine() => [];")]
    public void Members_ThatGiveTools_AreTaken(string member) =>
        Assert.Empty(Run("[ReAct(Tools = nameof(Mine))] private partial Task<string> Guess(string text, CancellationToken c);", member).Diagnostics);

    [Fact]
    public void Members_OfABaseClassAndOfTheConstructor_AreTaken() => TestCompilation.Generate("""
        using Microsoft.Extensions.AI;
        public abstract class Tooled : Module<string, string>
        {
            protected static AIFunction[] Shared => [];
        }
        public sealed partial class Ask(IEnumerable<AIFunction> @class, ReActOptions? options) : Tooled
        {
            [ReAct(Tools = nameof(Shared), Options = nameof(options))] private partial Task<string> Guess(string text, CancellationToken c);
            [ReAct(Tools = nameof(@class))] private partial Task<int> Count(string text, CancellationToken c);
            protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken) =>
                await Guess(input, cancellationToken) + await Count(input, cancellationToken);
        }
        """);

    [Theory]
    [InlineData("private partial Task<Prediction<string>> Guess(string text, CancellationToken c);")]
    [InlineData("private partial IAsyncEnumerable<string> Guess(string text, CancellationToken c);")]
    [InlineData("private partial Task<string> Guess(string text, CallOptions? options, CancellationToken c);")]
    public void Hone002_ResultOfOneCall_IsRefused(string method) => Assert.Equal(
        ["HONE002: 'Guess' cannot be a predictor: an agent makes many calls, so it returns Task<T> or ValueTask<T> and takes no CallOptions; keep a ReAct<TIn, TOut> in a field "
            + "for its steps and its reason to stop"],
        Run($"[ReAct(Tools = nameof(Mine))] {method}", "AIFunction[] Mine => [];").Problems);

    [Theory]
    [InlineData("Task<string> Guess(string history, CancellationToken c);",
        "The input 'history' of 'Guess' has a name that agents need for themselves; rename the parameter")]
    [InlineData("Task<(int Tools, int Count)> Guess(string text, CancellationToken c);",
        "The output 'tools' of 'Guess' has a name that agents need for themselves; rename the element")]
    public void Hone007_NamesOfAgents_AreTaken(string method, string message) => Assert.Equal(
        [$"HONE007: {message}"], Run($"[ReAct(Tools = nameof(Mine))] private partial {method}", "AIFunction[] Mine => [];").Problems);

    [Fact]
    public void Hone002_BothAttributes_IsRefusedOnce() => Assert.Equal(
        ["HONE002: 'Guess' cannot be a predictor: it has two predictor attributes; keep one"],
        Run("[Predict, ReAct(Tools = nameof(Mine))] private partial Task<string> Guess(string text, CancellationToken c);", "AIFunction[] Mine => [];").Problems);

    [Fact]
    public void Hone005_WithoutCancellation_IsWarnedOf() => Assert.Equal(
        ["HONE005: 'Guess' calls a model but cannot be cancelled; add a CancellationToken parameter as the last one"],
        Run("[ReAct(Tools = nameof(Mine))] private partial Task<string> Guess(string text);", "AIFunction[] Mine => [];").Problems);

    private static GeneratedProgram Run(string method, string member) => TestCompilation.Run($$"""
        using System.Collections.Immutable;
        using Microsoft.Extensions.AI;
        public abstract partial class Ask : Module<string, string>
        {
            {{method}}
            {{(member.Length == 0 ? string.Empty : "private " + member.Replace("; AIFunction", "; private AIFunction", StringComparison.Ordinal))}}
        }
        """);
}
