using System.Collections.Immutable;
using Docs.Tests.Checks;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Docs.Tests.Snippets.Modules;

#region modules-own
public sealed class Translate : Module<string, string>
{
    private readonly Predict<string, string> draft = new("Translate into French.");
    private readonly BestOfN<string, string> polish = new(
        new Predict<string, string>("Make the text sound natural."), attempts: 3, (_, text) => 1.0 / text.Length);

    protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken) =>
        await polish.CallAsync(await draft.CallAsync(input, cancellationToken), cancellationToken);
}
#endregion

public sealed class ModulesTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Own_HasPathsOfItsParts()
    {
        var client = ScriptedChatClient.By((request, index) => Answers.Of(("answer", new string('x', 5 - index))));
        #region modules-paths
        var program = new Translate().WithModel(client);
        string[] paths = [.. program.Predictors.Select(predictor => predictor.Key)];   // "draft", "polish.module"
        #endregion
        Assert.Equal(["draft", "polish.module"], paths);
        Assert.Equal("xx", await program.CallAsync("hello", Token));
    }

    [Fact]
    public async Task BestOfN_TakesTheBest()
    {
        var client = ScriptedChatClient.InSequence(Answers.Of(("answer", "One two three.")), Answers.Of(("answer", "One.")));
        #region modules-best-of-n
        var brief = new BestOfN<string, string>(
            new ChainOfThought<string, string>("Answer in one word."),
            attempts: 5,
            reward: (question, answer) => answer.Split(' ').Length == 1,
            threshold: 1);
        #endregion
        var withoutReasoning = new BestOfN<string, string>(
            new Predict<string, string>(), brief.Attempts, (_, answer) => answer.Split(' ').Length == 1, brief.Threshold);
        #region modules-attempts
        using var scope = HoneScope.Use(client);
        AttemptsResult<string> result = await withoutReasoning.AttemptAsync("How many?");
        Console.WriteLine($"{result.Best} came {result.BestIndex + 1}. of {result.Attempts.Length}");
        #endregion
        Assert.Equal(("One.", 1, 2), (result.Best, result.BestIndex, result.Attempts.Length));
    }

    [Fact]
    public async Task Refine_Advises()
    {
        var client = ScriptedChatClient.InSequence(
            Answers.Of(("answer", "It depends.")), Answers.Of(("discussion", "Vague."), ("advice", FieldMap.Of(("self", "Name a number.")))), Answers.Of(("answer", "7")));
        #region modules-refine
        var exact = new Refine<string, string>(
            new Predict<string, string>("Answer the question."),
            attempts: 3,
            reward: (_, answer) => int.TryParse(answer, out var _) ? 1 : new Score(0) { Feedback = $"'{answer}' is no number." },
            threshold: 1,
            goal: "The answer is a whole number and nothing else.");
        #endregion
        Assert.Equal("7", await exact.WithModel(client).CallAsync("How many?", Token));
        Assert.Contains("Name a number.", client.Requests[2].LastText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Comparison_AndMajority()
    {
        var client = ScriptedChatClient.By((request, _) => request.LastText.Contains("reasoning_attempt_1", StringComparison.Ordinal)
            ? Answers.Of(("rationale", "Two agree."), ("answer", "Paris"))
            : Answers.Of(("reasoning", "…"), ("answer", "Paris")));
        #region modules-comparison
        var task = Signature.Parse("question -> answer");
        var think = new ChainOfThought(task);
        var compare = new MultiChainComparison(task, attempts: 3);

        using var scope = HoneScope.Use(client);
        var question = FieldMap.Of(("question", "Where is the Louvre?"));
        FieldMap[] attempts = [.. (await think.SampleAsync(question, 3)).Where(sample => sample.Succeeded).Select(sample => sample.Value!)];
        FieldMap judged = await compare.CallAsync(question, attempts);       // a model weighs them
        FieldMap voted = Majority.Of(attempts, "answer");                    // or they vote
        #endregion
        Assert.Equal("Two agree.", judged["rationale"]);
        Assert.Equal("Paris", voted["answer"]);
    }

    [Fact]
    public async Task ForEach_KeepsTheOrder()
    {
        var client = ScriptedChatClient.By((request, _) => Answers.Of(("answer", request.LastText.Contains("one", StringComparison.Ordinal) ? "1" : "2")));
        #region modules-for-each
        var summarize = new ForEach<string, string>(new Predict<string, string>("Summarize."), new() { MaxParallelism = 4 });
        IReadOnlyList<ItemResult<string>> summaries = await summarize.WithModel(client).CallAsync(["text one", "text two"]);
        #endregion
        Assert.Equal(["1", "2"], summaries.Select(summary => summary.Value));
    }

    [Fact]
    public async Task Knn_FindsExamples()
    {
        IEmbeddingGenerator<string, Embedding<float>> embeddings = new Letters();
        #region modules-knn
        Example<string, string>[] examples = [new("How far is the moon?", "384,400 km"), new("Who wrote Emma?", "Jane Austen")];
        var nearest = await Knn.CreateAsync(examples, embeddings, count: 1);
        IReadOnlyList<Example<string, string>> like = await nearest.CallAsync("How far is the sun?");
        #endregion
        Assert.Equal("384,400 km", Assert.Single(like).Expected);
    }

    // Counts letters: near enough for an example.
    private sealed class Letters : IEmbeddingGenerator<string, Embedding<float>>
    {
        public Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(
            IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default) =>
            Task.FromResult<GeneratedEmbeddings<Embedding<float>>>(
                [.. values.Select(text => new Embedding<float>(Enumerable.Range('a', 26).Select(letter => (float)text.Count(each => each == letter)).ToArray()))]);

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
