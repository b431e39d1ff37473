using System.ComponentModel;
using Docs.Tests.Checks;
using Hone;
using Hone.Engine;
using Hone.Optimizers;
using Hone.Testing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace Docs.Tests.Snippets;

public sealed record Claim(string Text);

public sealed record Research(IReadOnlyList<string> Titles, IReadOnlyList<string> KeyFacts);

#region readme-module
public sealed partial class ResearchHop(IRetriever search) : Module<Claim, Research>
{
    [ChainOfThought("Write a query for the next article to find.")]
    private partial Task<string> GenerateQuery(string claim, IReadOnlyList<string> keyFacts, CancellationToken cancellationToken);

    [Predict("Note the facts that help to check the claim.", Output = "new_key_facts")]
    private partial Task<IReadOnlyList<string>> AppendNotes(
        string claim, IReadOnlyList<string> keyFacts, IReadOnlyList<string> newSearchResults, CancellationToken cancellationToken);

    protected override async Task<Research> ForwardAsync(Claim input, CancellationToken cancellationToken)
    {
        var (titles, facts) = (new List<string>(), new List<string>());
        for (var hop = 0; hop < 3; hop++)
        {
            var query = await GenerateQuery(input.Text, facts, cancellationToken);
            var found = await search.SearchAsync(query, 2, cancellationToken);
            titles.AddRange(found.Select(passage => passage.Title).Except(titles));
            facts.AddRange(await AppendNotes(input.Text, facts, [.. found.Select(passage => passage.Text)], cancellationToken));
        }

        return new(titles, facts);
    }
}
#endregion

public sealed partial class ResearchHop
{
    public static double Recall(Example<Claim, Research> example, Research research) =>
        example.Expected.Titles.Count(research.Titles.Contains) / (double)example.Expected.Titles.Count;
}

public sealed class ReadmeTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task TypedStep_Runs()
    {
        IChatClient chatClient = Answers.Always(("reasoning", "The context says so."), ("answer", "Paris"), ("confidence", 0.9));
        #region readme-call
        var qa = new ChainOfThought<Ask, Reply>("Answer from the context.").WithModel(chatClient);   // any IChatClient
        Reply reply = await qa.CallAsync(new("Where is the Louvre?", ["The Louvre is in Paris."]));
        #endregion
        Assert.Equal(new Reply("Paris", 0.9), reply);
    }

    [Fact]
    public async Task DynamicLane_Runs()
    {
        IChatClient chatClient = Answers.Always(("names", "[\"Ann\"]"), ("sentiment", "good"));
        #region readme-dynamic
        var extract = Predict.Parse("text -> names: list[str], sentiment: Literal['good', 'bad']").WithModel(chatClient);
        FieldMap found = await extract.CallAsync(FieldMap.Of(("text", "Ann liked it.")));
        #endregion
        Assert.Equal("good", found["sentiment"]);
    }

    [Fact]
    public async Task Program_IsScored()
    {
        var client = ScriptedChatClient.ForOutputs(
            FieldMap.Of(("new_key_facts", "[\"It is old.\"]")), FieldMap.Of(("reasoning", "r"), ("query", "first")));
        var program = new ResearchHop(new OneArticle()).WithModel(client);
        IReadOnlyList<Example<Claim, Research>> dev = [new(new("A claim."), new(["Article", "Another"], []))];
        #region readme-score
        var recall = Metric.From<Claim, Research>((example, output) => ResearchHop.Recall(example, output));
        var baseline = await Evaluator.Create(recall).EvaluateAsync(program, dev);     // mean, 95 % interval, every trace
        #endregion
        Assert.Equal(0.5, baseline.Mean);
        Assert.Equal(6, baseline.Rows[0].Trace.Calls.Length);
        Assert.Equal(["generate_query", "append_notes"], program.Predictors.Select(predictor => predictor.Key));
        Assert.Equal(3, (await program.RunAsync(new("A claim."), null, Token)).Value.KeyFacts.Count);
    }

    [Fact]
    public async Task Prompts_AreOptimized()
    {
        var client = ScriptedChatClient.ForOutputs(
            FieldMap.Of(("new_key_facts", "[\"It is old.\"]")), FieldMap.Of(("reasoning", "r"), ("query", "first")), FieldMap.Of(("new_instruction", "Look again.")));
        var (program, strongModel) = (new ResearchHop(new OneArticle()).WithModel(client), new LM(client));
        var recall = Metric.From<Claim, Research>((example, output) => ResearchHop.Recall(example, output));
        IReadOnlyList<Example<Claim, Research>> train = [new(new("A claim."), new(["Article", "Another"], []))], dev = train;
        using var output = new StringWriter();
        var Console = output;
        #region readme-prompts
        var better = await new Gepa<Claim, Research>(recall, new() { MaxMetricCalls = 500, ReflectionModel = strongModel })
            .CompileAsync(program, train, dev);
        Console.WriteLine(better.Verdict);                                             // before, after, and a paired interval
        #endregion
        Assert.Contains("No significant change", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Model_WithParts_Runs()
    {
        IChatClient chatClient = ScriptedChatClient.By((request, _) => request.SystemText.Contains("JSON object", StringComparison.Ordinal)
            ? """{"reasoning": "r", "answer": "Paris", "confidence": 0.9}"""
            : Answers.Of(("reasoning", "r"), ("answer", "Paris"), ("confidence", 0.9)));
        #region readme-model
        var lm = new LM(chatClient)
        {
            Cache = new ResponseCache(),                                        // or in a SQLite file, or in Redis
            Budget = new CallBudget(new() { MaxTokens = 1_000_000 }),
            Retry = new() { MaxAttempts = 5 },
        };
        #endregion
        var ask = new Ask("Where is the Louvre?", ["The Louvre is in Paris."]);
        #region readme-run
        var run = await new ChainOfThought<Ask, Reply>().WithModel(lm).WithAdapter(JsonAdapter.Default).RunAsync(ask);
        Console.WriteLine($"{run.Value.Answer}: {run.Usage.TotalTokens} tokens, recovered {run.RecoveryCount} times");
        #endregion
        Assert.Equal("Paris", run.Value.Answer);
        var program = new ChainOfThought<Ask, Reply>().WithModel(lm);
        var shown = string.Empty;
        #region readme-stream
        await foreach (var happened in program.StreamAsync(ask))
        {
            if (happened is FieldDelta { Field: "answer" } delta)
                shown += delta.Text;
        }
        #endregion
        Assert.Equal("Paris", shown);
    }

    private sealed class OneArticle : IRetriever
    {
        public Task<IReadOnlyList<Passage>> SearchAsync(string query, int count, CancellationToken cancellationToken = default) =>
            Task.FromResult<IReadOnlyList<Passage>>([new("1", "Article", "It is old.", 1)]);
    }
}

/// <summary>Examples that need a model, a network or minutes: they are compiled and not run.</summary>
internal static class ReadmeSketches
{
    public static void Serve(IServiceCollection services, IChatClient chatClient)
    {
        #region readme-services
        services.AddSingleton<IChatClient>(chatClient).AddHone();
        services.AddProgram<ResearchHop, Claim, Research>(options => options.StateFile = "hop.json");    // inject Program<Claim, Research>
        #endregion
    }

    public static async Task TrainAsync(
        IRetriever search, Metric<Claim, Research> recall, IReadOnlyList<Example<Claim, Research>> train, IReadOnlyList<Example<Claim, Research>> dev)
    {
        #region readme-train
        var program = new ResearchHop(search).WithModel(EngineLM.Embedded());          // or EngineLM.Load("Qwen2.5-0.5B-Instruct")
        var tuned = await Grpo.Create(recall, new GrpoOptions { Steps = 200, ExamplesPerStep = 4, RolloutsPerExample = 8 })
            .CompileAsync(program, train, dev);
        await tuned.Program.SaveAsync("hop.json");                                     // state, and the weights beside it
        #endregion
    }
}
