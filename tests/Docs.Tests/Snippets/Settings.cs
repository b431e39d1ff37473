using System.Globalization;
using Docs.Tests.Checks;
using Docs.Tests.Snippets.Signatures;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Docs.Tests.Snippets.Settings;

#region settings-module
public sealed partial class TriageModule : Module<Ticket, Triage>
{
    [Predict("Triage the support ticket.")]
    private partial Task<Triage> TriageTicket(string text, IReadOnlyList<string> earlierTickets, CancellationToken cancellationToken);

    protected override Task<Triage> ForwardAsync(Ticket input, CancellationToken cancellationToken) =>
        TriageTicket(input.Text, input.EarlierTickets, cancellationToken);
}
#endregion

#region settings-observer
public sealed class SlowCalls(TimeSpan limit, ILogger logger) : IHoneObserver
{
    public void OnStarted(CallStarted call)
    {
    }

    public void OnEnded(CallEnded call)
    {
        if (call.Kind == CallKind.Model && call.Duration > limit)
            logger.LogWarning("{Model} took {Duration}", call.Name, call.Duration);
    }
}
#endregion

public sealed class SettingsTests
{
    private static readonly FieldMap Question = FieldMap.Of(("question", "Where is the Louvre?"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Scope_GivesPredictorsAModel()
    {
        IChatClient chatClient = Answers.Always(("answer", "Paris"));
        #region settings-scope
        var ask = Predict.Parse("question -> answer");
        using (var scope = HoneScope.Use(chatClient))
        {
            FieldMap outputs = await ask.CallAsync(FieldMap.Of(("question", "Where is the Louvre?")));
            Console.WriteLine($"{outputs["answer"]}: {scope.Trace.Usage.Calls} call");
        }
        #endregion
        Assert.Null(HoneScope.Current);
    }

    [Fact]
    public async Task Scope_ChangesWhatItNames()
    {
        var lm = new LM(ScriptedChatClient.InSequence("""{"answer": "Paris"}"""));
        var ask = Predict.Parse("question -> answer");
        #region settings-scope-options
        using var scope = HoneScope.Use(new ScopeOptions
        {
            Model = lm,
            Adapter = JsonAdapter.Default,
            Recovery = RecoveryPolicy.None,
            Options = new() { Temperature = 0 },
            Seed = 1,
        });
        #endregion
        await ask.CallAsync(Question, Token);
        Assert.Equal("JsonAdapter", scope.Trace.Calls[0].Adapter);
    }

    [Fact]
    public async Task Services_ResolvePrograms()
    {
        IChatClient client = Answers.Always(("urgency", "High"), ("effort", 2), ("duplicate_of", "null"));
        var services = new ServiceCollection();
        #region settings-services
        services.AddSingleton<IChatClient>(client);
        services.AddHone(options => options.Model = lm => lm with { Cache = new ResponseCache(), Retry = new() { MaxAttempts = 5 } });
        services.AddProgram<TriageModule, Ticket, Triage>();
        #endregion
        services.AddSingleton(new Library([]));
        #region settings-services-factory
        services.AddProgram(
            provider => new ReAct<string, string>("Answer by looking things up.", provider.GetRequiredService<Library>().Tools),
            options => options.Configure = (provider, program) => program.WithAdapter(JsonAdapter.Default));
        #endregion
        await using var provider = services.BuildServiceProvider();
        #region settings-resolve
        var program = provider.GetRequiredService<Program<Ticket, Triage>>();
        Triage triage = await program.CallAsync(new("The server is down!", []));
        #endregion
        Assert.Same(JsonAdapter.Default, provider.GetRequiredService<Program<string, string>>().Adapter);
        Assert.Equal(Urgency.High, triage.Urgency);
        Assert.Equal(5, program.Model!.Retry!.MaxAttempts);
    }

    [Fact]
    public async Task Options_InnermostWins()
    {
        var client = Answers.Always(("answer", "Paris"));
        IChatClient chatClient = client;
        var question = Question;
        #region settings-precedence
        var lm = new LM(chatClient) { Options = new() { Temperature = 0.1f, TopP = 0.9f, MaxOutputTokens = 500 } };
        var program = Predict.Parse("question -> answer").WithModel(lm)
            .With(ProgramState.Default.With("self", new() { Options = new() { Temperature = 0.3f } }));
        await program.RunAsync(question, new() { Options = new() { Temperature = 0.2f, TopP = 0.8f } });
        // Sent: temperature 0.3 (the predictor's state), top-p 0.8 (the run), 500 tokens (the model).
        #endregion
        var sent = client.Requests[0].Options!;
        Assert.Equal((0.3f, 0.8f, 500), (sent.Temperature!.Value, sent.TopP!.Value, sent.MaxOutputTokens!.Value));
    }

    [Fact]
    public async Task Open_SamplesWithTheProgramsState()
    {
        var client = ScriptedChatClient.By((_, _) => Answers.Of(("answer", "Paris")));
        var (ask, question) = (Predict.Parse("question -> answer"), Question);
        var program = ask.WithModel(client).With(ProgramState.Default.With("self", new() { Instructions = "Guess." }));
        #region settings-open
        using (program.Open(new() { Seed = 1 }))
        {
            IReadOnlyList<ItemResult<FieldMap>> samples = await ask.SampleAsync(question, 3);
        }
        #endregion
        Assert.Equal(3, client.Requests.Count);
        Assert.All(client.Requests, request => Assert.Contains("Guess.", request.SystemText, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Batch_KeepsTheOrder()
    {
        var program = Predict.Parse("question -> answer").WithModel(ScriptedChatClient.By((request, _) =>
            request.LastText.Contains("bad", StringComparison.Ordinal) ? throw new LMInvalidRequestException("No.") : Answers.Of(("answer", "Paris"))));
        IReadOnlyList<FieldMap> questions = [FieldMap.Of(("question", "good")), FieldMap.Of(("question", "bad"))];
        #region settings-batch
        ItemResult<Prediction<FieldMap>>[] results = await program.RunBatchAsync(
            questions, new() { MaxParallelism = 4, MaxErrors = 3, ItemTimeout = TimeSpan.FromSeconds(30) });
        foreach (var result in results)                                   // in the order of the questions
            Console.WriteLine(result.Succeeded ? result.Value!.Value["answer"] : result.Error!.Message);
        #endregion
        Assert.Equal([true, false], results.Select(result => result.Succeeded));
    }

    [Fact]
    public async Task Observer_IsTold()
    {
        var log = new LineLogger();
        var program = Predict.Parse("question -> answer").WithModel(Answers.Always(("answer", "Paris")));
        var watched = program.WithObserver(new SlowCalls(TimeSpan.FromTicks(-1), log)).WithLogger(log);
        await watched.CallAsync(Question, Token);
        Assert.Contains("scripted took", Assert.Single(log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Input_OfAnotherType_IsLogged_AndSent()
    {
        var log = new LineLogger();
        var program = Predict.Parse("count: int -> answer").WithModel(Answers.Always(("answer", "many"))).WithLogger(log);
        await program.CallAsync(FieldMap.Of(("count", "a lot")), Token);
        Assert.Contains("input 'count' is declared as integer", Assert.Single(log.Lines), StringComparison.Ordinal);
    }

    private sealed class LineLogger : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add(string.Create(CultureInfo.InvariantCulture, $"{formatter(state, exception)}"));
    }
}

internal static class SettingsSketches
{
    public static Program<FieldMap, FieldMap> Watch(Program<FieldMap, FieldMap> program, ILogger logger)
    {
        #region settings-watch
        var watched = program.WithObserver(new SlowCalls(TimeSpan.FromSeconds(5), logger)).WithLogger(logger);
        #endregion
        return watched;
    }
}

internal sealed record Library(IReadOnlyList<AIFunction> Tools);
