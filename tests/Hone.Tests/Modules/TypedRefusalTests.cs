using Hone.Testing;

namespace Hone.Tests.Modules;

/// <summary>D48: an output that its record refuses is an unreadable answer: asked for again, counted, and one sample's own affair.</summary>
public sealed class TypedRefusalTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CallAsync_ConstructorRefuses_AsksAgainWithTheReason()
    {
        var client = ScriptedChatClient.InSequence(Stars(9), Stars(4));
        var run = await new Predict<Review, Rating>().WithModel(client).RunAsync(new("good"), null, Token);
        Assert.Equal(4, run.Value.Stars);
        Assert.Equal(ParseFailureKind.Constraint, run.Trace.Calls[0].Failure!.Kind);
        Assert.Null(run.Trace.Calls[0].Outputs);
        Assert.Contains("1 to 5 stars", client.Requests[1].LastText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CallAsync_SetterRefuses_NamesTheProperty()
    {
        var program = new Predict<Review, Label>().WithModel(ScriptedChatClient.By((_, _) => "[[ ## name ## ]]\nspam"));
        var error = await Assert.ThrowsAsync<AdapterParseException>(() => program.WithRecovery(RecoveryPolicy.None).CallAsync(new("x"), Token));
        Assert.Contains("$.name: Label.Name refuses it: no spam here", error.Message, StringComparison.Ordinal);
        Assert.Equal("spam", error.Parsed["name"]);
    }

    [Fact]
    public async Task SampleAsync_OneRefused_CostsOnlyItself()
    {
        var rate = new Predict<Review, Rating>();
        var turn = 0;
        var client = ScriptedChatClient.By((_, _) => Stars(Interlocked.Increment(ref turn) == 2 ? 9 : 3));
        using var scope = HoneScope.Use(new ScopeOptions { Model = new LM(client), Recovery = RecoveryPolicy.None });
        var samples = await rate.SampleAsync(new("good"), 4, cancellationToken: Token);
        Assert.Equal(3, samples.Count(sample => sample.Succeeded && sample.Value!.Stars == 3));
        Assert.IsType<AdapterParseException>(Assert.Single(samples, sample => !sample.Succeeded).Error);
    }

    [Fact]
    public async Task PredictAsync_ConstructorRefuses_CountsTheRecovery()
    {
        using var scope = HoneScope.Use(ScriptedChatClient.InSequence(Stars(0), Stars(5)));
        var prediction = await new Predict<Review, Rating>().PredictAsync(new("good"), cancellationToken: Token);
        Assert.Equal((5, 1), (prediction.Value.Stars, prediction.RecoveryCount));
    }

    private static string Stars(int count) => $"[[ ## stars ## ]]\n{count}";

    public sealed record Review(string Text);

    public sealed record Rating
    {
        public Rating(int stars) => Stars = stars is >= 1 and <= 5 ? stars : throw new ArgumentException("A rating has 1 to 5 stars.");

        public int Stars { get; }
    }

    public sealed record Label
    {
        public string Name
        {
            get;
            set => field = value == "spam" ? throw new ArgumentException("no spam here") : value;
        } = "none";
    }
}
