namespace Hone.Generators.Tests;

/// <summary>Every program that these tests generate is compiled under the trim analyzers; here is what the generator adds to please them.</summary>
public class TrimmingTests
{
    [Fact]
    public void Analyzers_UnsafeReflectionInGeneratedCode_IsReported()
    {
        // The control: without it, silence would prove nothing.
        var program = TestCompilation.Run("""
            [System.CodeDom.Compiler.GeneratedCode("Some generator", "1.0")]
            public static class Careless
            {
                public static object? Make(Type type) => Activator.CreateInstance(type);
                public static Type List(Type item) => typeof(List<>).MakeGenericType(item);
            }
            """);

        Assert.Equal(["IL2067", "IL3050"], program.Diagnostics.Select(diagnostic => diagnostic.Id).Where(id => id.StartsWith("IL", StringComparison.Ordinal)).Order());
    }

    [Fact]
    public void Generate_NestedTypes_AreKeptOnceEach()
    {
        var calls = KeptIn("""
            public sealed record Part(string Name, Part[]? Parts, int? Count, (int Low, Limit High) Range);
            public readonly record struct Limit(decimal Value);
            public class Whole
            {
                public required Dictionary<DayOfWeek, List<Part>> Days { get; init; }
                public ISet<Guid> Ids { get; init; } = new HashSet<Guid>();
                [System.Text.Json.Serialization.JsonIgnore] public IReadOnlyList<Version>? Hidden { get; init; }
            }
            public sealed partial class Build : Module<string, string>
            {
                [Predict] private partial Task<Whole> Assemble(
                    string text, byte[] data, Uri? place, FieldMap extra, History history, Limit? limit, IEnumerable<KeyValuePair<string, long>> pairs,
                    System.Text.Json.Nodes.JsonArray json, CancellationToken cancellationToken);
                protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken) => await Task.FromResult(input);
            }
            """);

        Assert.Equal(
            [
                "Register<Limit>",
                "RegisterList<IEnumerable<KeyValuePair<string, long>>, KeyValuePair<string, long>>",
                "Register<KeyValuePair<string, long>>",
                "RegisterDictionary<Dictionary<DayOfWeek, List<Part>>, DayOfWeek, List<Part>>",
                "RegisterList<List<Part>, Part>",
                "Register<Part>",
                "RegisterList<Part[], Part>",
                "Register<(int Low, Limit High)>",
                "RegisterList<ISet<Guid>, Guid>",
            ],
            calls);
    }

    [Fact]
    public void Generate_TypeParametersAsFields_AreLeftToTheUser()
    {
        var calls = KeptIn("""
            public abstract partial class Any<TKey, TItem, TKnown> : Module<TKey, TItem> where TKnown : notnull
            {
                [Predict] protected partial Task<List<TItem>> Find(
                    TKey key, IReadOnlyDictionary<TKey, int> byKey, IReadOnlyDictionary<TKnown, int> byKnown, CancellationToken cancellationToken);
            }
            """);

        Assert.Equal(["RegisterDictionary<IReadOnlyDictionary<TKnown, int>, TKnown, int>", "RegisterList<List<TItem>, TItem>"], calls);
    }

    [Fact]
    public void Generate_NothingNested_MakesThePredictorInPlace()
    {
        var program = TestCompilation.Generate("""
            public sealed record Verdict(bool IsTrue, string? Why, DateTimeOffset? When);
            public sealed partial class Ask : Module<string, string>
            {
                [Predict] private partial Task<Verdict> Guess(string question, double? weight, object extra, CancellationToken cancellationToken);
                protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken) => (await Guess(input, 1, 2, cancellationToken)).Why!;
            }
            """);

        Assert.DoesNotContain("TypeSupport", program.Sources.Values.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public void Generate_FactoryNameTaken_TakesAnother()
    {
        var program = TestCompilation.Generate("""
            public sealed partial class Ask : Module<string, int>
            {
                [Predict] private partial Task<int[]> Guess(string question, CancellationToken cancellationToken);
                private static int CreateGuess() => 1;
                protected override async Task<int> ForwardAsync(string input, CancellationToken cancellationToken) => (await Guess(input, cancellationToken)).Length + CreateGuess();
            }
            """);

        Assert.Contains(" CreateGuessPredictor()", program.Sources.Values.Single(), StringComparison.Ordinal);
    }

    private static IEnumerable<string> KeptIn(string source) => TestCompilation.Generate(source).Sources.Values.Single().Split('\n')
        .Select(line => line.Trim())
        .Where(line => line.StartsWith("global::Hone.TypeSupport.", StringComparison.Ordinal))
        .Select(line => line["global::Hone.TypeSupport.".Length..^3]
            .Replace("global::System.Collections.Generic.", string.Empty, StringComparison.Ordinal)
            .Replace("global::System.", string.Empty, StringComparison.Ordinal)
            .Replace("global::", string.Empty, StringComparison.Ordinal));
}
