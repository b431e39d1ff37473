using Hone.Testing;

namespace Hone.Tests.Modules;

public sealed class ProgramFileTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("hone-file").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string FilePath => Path.Combine(directory, "program.json");

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task SaveThenLoad_EveryPartOfTheState_ComesBackEqual()
    {
        var demo = new Demo(FieldMap.Of(("question", "é 東京 \"q\"\nline"), ("tags", System.Collections.Immutable.ImmutableArray.Create<object?>("a", "b")), ("score", 0.25)), IsAugmented: true);
        var state = ProgramState.Default.With("self", new()
        {
            Instructions = "Be brief.",
            Demos = [demo],
            FieldDescriptions = System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty.Add("question", "what to answer"),
            Options = new() { Temperature = 0.5f, StopSequences = ["\n\n"] },
        });
        var program = Create().With(state);
        await program.SaveAsync(FilePath, Token);
        var loaded = await Create().LoadStateAsync(FilePath, Token);
        Assert.Equal(state, loaded.State);
        Assert.Equal(demo.Fields, loaded.State["self"].Demos[0].Fields);
    }

    /// <summary>Demos written by hand hold values as the program has them; they are saved as the fields' types read them.</summary>
    [Fact]
    public void SaveThenLoad_DemoOfRecordsAndLists_ShowsTheSamePrompt()
    {
        static Program<Visit, Advice> Create() => new Predict<Visit, Advice>("Advise.").WithModel(ScriptedChatClient.InSequence());
        var demo = new Demo(FieldMap.Of(
            ("who", new Guest("Ann", 3, Level.Gold)), ("nights", 2), ("tags", new List<string> { "a", "b" }), ("first", new DateOnly(2026, 11, 27)), ("rooms", new[] { new Guest("Bo", 1, Level.Plain) })));
        var written = Create().With(ProgramState.Default.With("self", new() { Demos = [demo] }));
        var loaded = Create().LoadState(written.SaveState());
        Assert.IsType<FieldMap>(loaded.State["self"].Demos[0].Fields["who"]);
        Assert.Equal(2L, loaded.State["self"].Demos[0].Fields["nights"]);
        var input = FieldMap.Of(("who", new Guest("Cy", 0, Level.Plain)), ("first", new DateOnly(2026, 1, 2)));
        Assert.Equal(written.Render("self", input).Select(message => message.Text), loaded.Render("self", input).Select(message => message.Text));
        Assert.Equal(written.SaveState(), loaded.SaveState());
    }

    public enum Level
    {
        Plain,
        Gold,
    }

    public sealed record Guest(string Name, int Visits, Level Level);

    public sealed record Visit(Guest Who, DateOnly First);

    public sealed record Advice(int Nights, IReadOnlyList<string> Tags, IReadOnlyList<Guest> Rooms);

    /// <summary>A demo's value of a type of the user's own is saved as the type writes it, so it can be read again.</summary>
    [Fact]
    public void SaveThenLoad_DemoWithATypeOfItsOwn_ComesBackEqual()
    {
        static Program<FieldMap, FieldMap> Create() =>
            new Predict(Signature.Parse("question, paid: Price -> rest: list[Price]", null, typeof(Price))).WithModel(ScriptedChatClient.InSequence());
        var fields = FieldMap.Of(
            ("question", "q"), ("paid", new Price(12.5m, "EUR")), ("rest", System.Collections.Immutable.ImmutableArray.Create<object?>(new Price(1m, "USD"))));
        var text = Create().With(ProgramState.Default.With("self", new() { Demos = [new(fields)] })).SaveState();
        Assert.Contains("12.5 EUR", text, StringComparison.Ordinal);
        Assert.Equal(fields, Assert.Single(Create().LoadState(text).State["self"].Demos).Fields);
    }

    [Fact]
    public void Load_UnknownOption_IsToldFromTextThatIsNoJson()
    {
        var program = Create().With(ProgramState.Default.With("self", new() { Options = new() { Temperature = 0.5f } }));
        var text = program.SaveState().Replace("\"temperature\"", "\"warmth\"", StringComparison.Ordinal);
        var error = Assert.Throws<HoneException>(() => Create().LoadState(text, "row 17"));
        Assert.StartsWith("row 17 is not a saved program that this Hone can read: ", error.Message, StringComparison.Ordinal);
        Assert.Contains("warmth", error.Message, StringComparison.Ordinal);
    }

    /// <summary>D25: what a file names beyond the format does nothing.</summary>
    [Fact]
    public void D25_LoadState_NamesThatAreNotOfTheFormat_ChangeNothing()
    {
        var program = Create().With(ProgramState.Default.With("self", new() { Instructions = "Be brief." }));
        var text = program.SaveState();
        const string More = "\"Adapter\": \"evil\", \"lm\": {\"api_base\": \"http://elsewhere.invalid\"},";
        var widened = text.Insert(text.IndexOf('{', StringComparison.Ordinal) + 1, More);
        Assert.Equal(program.State, Create().LoadState(widened).State);
    }

    [Fact]
    public async Task AtomicFile_SeveralWritersOfOneFile_DoNotCollide()
    {
        await Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(() => AtomicFile.WriteTextAsync(FilePath, new string((char)('a' + i), 5000), Token))));
        Assert.Single((await File.ReadAllTextAsync(FilePath, Token)).Distinct());
        Assert.Single(Directory.GetFiles(directory));
    }

    [Fact]
    public async Task Load_OtherFields_ListsBothSides()
    {
        await Create().SaveAsync(FilePath, Token);
        var changed = Predict.Parse("question, tags: list[int] -> score: float, why").WithModel(ScriptedChatClient.InSequence());
        var error = await Assert.ThrowsAsync<HoneException>(() => changed.LoadStateAsync(FilePath, Token));
        Assert.Contains("tags: in list[str] in the file, in list[int] in the module", error.Message, StringComparison.Ordinal);
        Assert.Contains("why: absent in the file, out str in the module", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_OtherPredictors_ListsBothSides()
    {
        await Create().SaveAsync(FilePath, Token);
        var error = await Assert.ThrowsAsync<HoneException>(() => new TwoSteps().WithModel(ScriptedChatClient.InSequence()).LoadStateAsync(FilePath, Token));
        Assert.Contains("In the file only: self. In the module only: plan, solve.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_DemoThatDoesNotFit_IsAnError_OrLeftOutWithAWarning()
    {
        static Demo Of(string score, string question) => new(FieldMap.Of(("question", question), ("score", score)));
        var free = Predict.Parse("question -> score").WithModel(ScriptedChatClient.InSequence());
        var text = free.With(ProgramState.Default.With("self", new()
        {
            Instructions = "Be brief.",
            Demos = [Of("0.5", "first"), Of("much", "second"), Of("0.75", "third")],
        })).SaveState();
        var logger = new Clients.ListLogger();
        var typed = Predict.Parse("question -> score: float").WithModel(ScriptedChatClient.InSequence()).WithLogger(logger);
        text = text.Replace("out str", "out float", StringComparison.Ordinal);

        var error = Assert.Throws<HoneException>(() => typed.LoadState(text, "row 17"));
        Assert.Contains("row 17: predictor 'self', demo 1, field 'score' (number): ", error.Message, StringComparison.Ordinal);
        Assert.Contains("IsStrict = false", error.Message, StringComparison.Ordinal);
        Assert.Empty(logger.Lines);

        var state = typed.LoadState(text, "row 17", new() { IsStrict = false }).State["self"];
        Assert.Equal("Be brief.", state.Instructions);
        Assert.Equal([FieldMap.Of(("question", "first"), ("score", 0.5)), FieldMap.Of(("question", "third"), ("score", 0.75))], state.Demos.Select(demo => demo.Fields));
        var (level, line) = Assert.Single(logger.Lines);
        Assert.Equal(Microsoft.Extensions.Logging.LogLevel.Warning, level);
        Assert.StartsWith("row 17: predictor 'self', demo 1, field 'score' (number): ", line, StringComparison.Ordinal);
        Assert.EndsWith("The demo is left out.", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{}")]
    [InlineData("{\"format\": \"hone.program\", \"formatVersion\": 99}")]
    public async Task Load_OtherContent_IsRefusedWithTheFilesName(string content)
    {
        await File.WriteAllTextAsync(FilePath, content, Token);
        var error = await Assert.ThrowsAsync<HoneException>(() => Create().LoadStateAsync(FilePath, Token));
        Assert.Contains("program.json", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Save_ModelWithWeights_WritesThemBeside()
    {
        var policy = new ToyPolicy(new ToyChoice("x", "a", "b"));
        await Create().WithModel(new LM(policy)).SaveAsync(FilePath, Token);
        Assert.Equal(Path.Combine(directory, "program.weights"), ProgramFile.WeightsDirectoryOf(FilePath));
        Assert.True(Directory.Exists(Path.Combine(directory, "program.weights")));
        Assert.Empty(Directory.GetFiles(directory, "*.tmp"));
    }

    private static Program<FieldMap, FieldMap> Create() =>
        Predict.Parse("question, tags: list[str] -> score: float").WithModel(ScriptedChatClient.InSequence());

    [PromptType<PriceType>]
    private sealed record Price(decimal Amount, string Currency);

    private sealed class PriceType : PromptType<Price>
    {
        public override string ToText(Price value) => FormattableString.Invariant($"{value.Amount} {value.Currency}");

        public override Price FromText(string text) =>
            new(decimal.Parse(text.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture), text.Split(' ')[1]);
    }

    private sealed class TwoSteps : Module<string, string>
    {
        private readonly Predict plan = Predict.Parse("a -> b");
        private readonly Predict solve = Predict.Parse("b -> c");

        protected override Task<string> ForwardAsync(string input, CancellationToken cancellationToken) => Task.FromResult($"{plan}{solve}");
    }
}
