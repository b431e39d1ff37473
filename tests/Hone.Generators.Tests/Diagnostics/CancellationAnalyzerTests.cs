namespace Hone.Generators.Tests;

public class CancellationAnalyzerTests
{
    private const string WithoutToken = """
        public abstract partial class Ask : Module<string, string>
        {
            [Predict] private partial Task<string> Guess(string text);
        }
        """;

    [Fact]
    public void Hone005_NoToken_WarnsAndGeneratesWithDefault()
    {
        var program = TestCompilation.Run(WithoutToken);

        Assert.Equal(["HONE005: 'Guess' calls a model but cannot be cancelled; add a CancellationToken parameter as the last one"], program.Problems);
        Assert.Equal("Guess", program.TextAt("HONE005"));
        Assert.Contains("new GuessInput(text), default)", Assert.Single(program.Sources.Values), StringComparison.Ordinal);
    }

    [Fact]
    public void Hone005_PragmaOff_IsQuiet() =>
        Assert.Empty(TestCompilation.Run("#pragma warning disable HONE005\n" + WithoutToken).Diagnostics);

    [Fact]
    public void Hone005_OrdinaryMethod_IsQuiet() =>
        Assert.Empty(TestCompilation.Run("public class Plain { public Task<string> Guess(string text) => Task.FromResult(text); }").Diagnostics);
}
