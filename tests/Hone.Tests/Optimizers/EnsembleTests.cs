using Hone.Optimizers;

namespace Hone.Tests.Optimizers;

/// <summary>Scenario ENS-1.</summary>
public sealed class EnsembleTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Func<IReadOnlyList<FieldMap>, FieldMap> Vote => Ensemble.MajorityOf<FieldMap>(answer => answer["answer"]);

    [Theory]
    [InlineData("x,y,x", "x")]
    [InlineData("x,y", "x")]
    [InlineData("!,y,x,y", "y")]
    public async Task The_majority_decides_the_earliest_of_equals_and_failures_do_not_vote(string answers, string expected)
    {
        var ensemble = new Ensemble<FieldMap, FieldMap>(Programs(answers.Split(',')), Vote);
        Assert.Equal(expected, (await ensemble.CallAsync(Question("q1"), Token))["answer"]);
    }

    [Theory]
    [InlineData("x,y,x", new[] { 0.3, 0.9, 0.4 }, "y")]
    [InlineData("x,y,x", new[] { 0.5, 0.9, 0.4 }, "x")]
    [InlineData("!,y,x", new[] { 5.0, 0.5, 0.6 }, "x")]
    [InlineData("y,x", new[] { 0.0, 0.0 }, "y")]
    public async Task Votes_may_weigh_as_much_as_their_programs_scored(string answers, double[] weights, string expected)
    {
        var ensemble = new Ensemble<FieldMap, FieldMap>(Programs(answers.Split(',')), Ensemble.WeightedMajorityOf<FieldMap>(answer => answer["answer"]), new() { Weights = [.. weights] });
        Assert.Equal(expected, (await ensemble.CallAsync(Question("q1"), Token))["answer"]);
    }

    [Fact]
    public void Weights_that_do_not_fit_are_refused()
    {
        Assert.Throws<HoneException>(() => new Ensemble<FieldMap, FieldMap>(Programs("x", "y"), Vote, new() { Weights = [1] }));
        Assert.Throws<HoneException>(() => new Ensemble<FieldMap, FieldMap>(Programs("x", "y"), Vote, new() { Weights = [1, -1] }));
    }

    [Fact]
    public async Task All_answers_come_in_the_order_of_the_programs()
    {
        var ensemble = new Ensemble<FieldMap, FieldMap>(Programs("x", "!", "y"), Vote);
        var results = await ensemble.CallAllAsync(Question("q1"), Token);
        Assert.Equal(["x", null, "y"], results.Select(result => (string?)result.Value?["answer"]));
        Assert.Contains("down", results[1].Error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Some_of_many_are_the_same_for_the_same_input()
    {
        var ensemble = new Ensemble<FieldMap, FieldMap>(Programs("a", "b", "c", "d", "e"), Vote, new() { Size = 2 });
        var pairs = new HashSet<string>();
        for (var i = 0; i < 20; i++)
        {
            var first = await NamesAsync(ensemble, $"q{i}");
            Assert.Equal(first, await NamesAsync(ensemble, $"q{i}"));
            pairs.Add(first);
        }

        Assert.InRange(pairs.Count, 4, 10);
    }

    [Fact]
    public async Task Fewer_answers_than_the_quorum_are_an_error_with_its_causes()
    {
        var ensemble = new Ensemble<FieldMap, FieldMap>(Programs("x", "!", "!"), Vote, new() { Quorum = 2 });
        var error = await Assert.ThrowsAsync<HoneException>(() => ensemble.CallAsync(Question("q1"), Token));
        Assert.Contains("1 of 3", error.Message, StringComparison.Ordinal);
        Assert.Throws<HoneException>(() => new Ensemble<FieldMap, FieldMap>(Programs("x"), Vote, new() { Size = 2 }));
        Assert.Throws<HoneException>(() => new Ensemble<FieldMap, FieldMap>([], Vote));
    }

    [Fact]
    public async Task Its_states_are_saved_and_loaded()
    {
        var lab = new Lab(call => Lab.Answer(call.Has("ALPHA") ? "alpha" : "other"));
        var plain = lab.One();
        var tuned = plain.With(plain.State.With("ans", new() { Instructions = "ALPHA" }));
        var saved = new Ensemble<FieldMap, FieldMap>([tuned, tuned, plain], Vote).SaveState();
        var loaded = new Ensemble<FieldMap, FieldMap>([plain, plain, plain], Vote).LoadState(saved);
        Assert.Equal("alpha", (await loaded.CallAsync(Question("q1"), Token))["answer"]);
        Assert.Throws<HoneException>(() => new Ensemble<FieldMap, FieldMap>([plain], Vote).LoadState(saved));
    }

    [Fact]
    public async Task Its_members_cost_is_seen()
    {
        var program = new Program<FieldMap, FieldMap>(new Ensemble<FieldMap, FieldMap>(Programs("x", "x", "y"), Vote));
        var prediction = await program.RunAsync(Question("q1"), cancellationToken: Token);
        Assert.Equal(3, prediction.Usage.Calls);
    }

    private static FieldMap Question(string text) => FieldMap.Of(("question", text));

    private static async Task<string> NamesAsync(Ensemble<FieldMap, FieldMap> ensemble, string question) =>
        string.Concat((await ensemble.CallAllAsync(Question(question), Token)).Select(result => result.Value!["answer"]));

    private static Program<FieldMap, FieldMap>[] Programs(params string[] answers) =>
        [.. answers.Select(answer => new Lab(_ => answer == "!" ? throw new InvalidOperationException("down") : Lab.Answer(answer)).One())];
}
