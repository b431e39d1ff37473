namespace Hone.Generators.Tests;

public class ModuleStateAnalyzerTests
{
    [Theory]
    [InlineData("private int count;", "count", "make it readonly, or keep what belongs to a run in local variables")]
    [InlineData("protected string? last;", "last", "make it readonly, or keep what belongs to a run in local variables")]
    [InlineData("public int Count { get; private set; }", "Count", "make it init-only, or keep what belongs to a run in local variables")]
    [InlineData("public event Action? Changed;", "Changed", "report progress through the trace of the run")]
    [InlineData("public int Count { get => field; set => field = value; }", "Count",
        "make it init-only, or keep what belongs to a run in local variables")]
    public void Hone006_MutableMember_IsReported(string member, string name, string advice)
    {
        var program = TestCompilation.Run($$"""
            #pragma warning disable CS0169, CS0067, CS0649, CS0414
            public abstract class Ask : Module<string, string>
            {
                {{member}}
            }
            """);

        Assert.Equal([$"HONE006: '{name}' of the module 'Ask' can change between calls; {advice}"], program.Problems);
        Assert.Equal(name, program.TextAt("HONE006"));
    }

    [Theory]
    [InlineData("private readonly int count = 1;")]
    [InlineData("private static int count;")]
    [InlineData("private const int Count = 1;")]
    [InlineData("public int Count { get; init; }")]
    [InlineData("public int Count { get; } = 1;")]
    [InlineData("public int Count => name.Length;")]
    [InlineData("private readonly List<string> words = [];")]
    [InlineData("private sealed class Local { public int Count; }")]
    public void Hone006_FixedMember_IsFine(string member)
    {
        var program = TestCompilation.Run($$"""
            #pragma warning disable CS0169, CS0649, CS0414
            public abstract class Ask(string name) : Module<string, string>
            {
                protected string Name => name;
                {{member}}
            }
            """);

        Assert.Empty(program.Diagnostics);
    }

    [Fact]
    public void Hone006_OtherClass_IsFine()
    {
        var program = TestCompilation.Run("public class Counter { public int Count { get; set; } }");

        Assert.Empty(program.Diagnostics);
    }

    [Theory]
    [InlineData("hops = 3")]
    [InlineData("hops += 1")]
    [InlineData("hops++")]
    [InlineData("--hops")]
    public void Hone006_AssignedConstructorParameter_IsReported(string change)
    {
        var program = TestCompilation.Run($$"""
            public sealed class Ask(int hops) : Module<string, int>
            {
                protected override Task<int> ForwardAsync(string input, CancellationToken cancellationToken) => Task.FromResult({{change}});
            }
            """);

        const string Advice = "do not assign a constructor parameter, keep what belongs to a run in local variables";
        Assert.Equal([$"HONE006: 'hops' of the module 'Ask' can change between calls; {Advice}"], program.Problems);
    }

    [Fact]
    public void Hone006_ParameterOfOrdinaryConstructor_MayBeAssigned()
    {
        var program = TestCompilation.Run("""
            public abstract class Ask : Module<string, int>
            {
                protected Ask(int hops) { hops = Math.Max(hops, 1); Hops = hops; }
                public int Hops { get; }
            }
            """);

        Assert.Empty(program.Diagnostics);
    }
}
