using System.Collections.Immutable;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Hone.Tests.Signatures;

/// <summary>What .NET types say beside their names: defaults, descriptions, annotations.</summary>
public sealed class DeclaredTypeTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Initializers_OfEveryKindOfValue_AreDefaults()
    {
        var fields = SignatureReflector.Fields(typeof(Plan), FieldDirection.Output).ToDictionary(field => field.Name);

        Assert.Equal(
            "day, due, every, names, place, tone, weights",
            string.Join(", ", fields.Values.Where(field => field.HasDefault).Select(field => field.Name).Order(StringComparer.Ordinal)));
        Assert.Equal(ImmutableArray.Create<object?>("a", "b"), (ImmutableArray<object?>)fields["names"].Default!);
        Assert.Equal(FieldMap.Of(("x", 1.5)), fields["weights"].Default);
        Assert.Equal(TimeSpan.FromHours(2), fields["every"].Default);
        Assert.Equal(FieldMap.Of(("x", 1L), ("y", 2L)), fields["place"].Default);
        Assert.Equal((new DateOnly(2026, 1, 2), "Warm"), (fields["day"].Default, fields["tone"].Default));
    }

    /// <summary>An answer without them takes the declared values, typed ones again.</summary>
    [Fact]
    public async Task Initializers_AreTaken_WhereAnAnswerLacksThem()
    {
        var client = Hone.Testing.ScriptedChatClient.By((_, _) => """{"title": "t", "notes": ["n"], "empty": "e", "count": 1, "start": "PT0S", "origin": {"x": 0, "y": 0}, "unset": [], "pair": [1, "b"]}""");
        var plan = await new Predict<string, Plan>().WithModel(client).WithAdapter(JsonAdapter.Default).CallAsync("q", Token);

        Assert.Equal(["a", "b"], plan.Names);
        Assert.Equal(1.5, plan.Weights["x"]);
        Assert.Equal((TimeSpan.FromHours(2), new Spot(1, 2), Tone.Warm), (plan.Every, plan.Place, plan.Tone));
    }

    [Fact]
    public void Initializers_ThatLeadToTheTypeItself_AreRead()
    {
        var field = SignatureReflector.Fields(typeof(Chain), FieldDirection.Output).Single(field => field.Name == "next");

        Assert.True(field.HasDefault);
        Assert.Equal("end", ((FieldMap)field.Default!)["name"]);
    }

    [Fact]
    public void Descriptions_OfTypesAndMembers_ReachTheModel()
    {
        var signature = Signature.Parse("text -> review: Review, mood: Mood | None", "Read.", typeof(Review), typeof(Mood));
        var request = new AdapterRequest(signature, FieldMap.Of(("text", "t")), []);

        var strict = JsonSchemas.Strict(signature).Schema.GetProperty("properties");
        Assert.Equal("What one reader thought.", strict.GetProperty("review").GetProperty("description").GetString());
        var mood = strict.GetProperty("review").GetProperty("properties").GetProperty("mood");
        Assert.Equal("As told. (How it feels. Low: sad or tired)", mood.GetProperty("description").GetString());
        Assert.Contains(
            "\"description\": \"What one reader thought.\", \"properties\": {\"author\": {\"type\": \"object\", \"description\": \"Who wrote.\"",
            JsonAdapter.Default.Render(request)[0].Text,
            StringComparison.Ordinal);
        Assert.Contains("`mood` (Mood | null):\n    Mood: How it feels. Low: sad or tired", ChatAdapter.Default.Render(request)[0].Text.Replace(": \n", ":\n", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void Compact_DocumentedTypes_AndObjectsAsInputs()
    {
        var signature = Signature.Parse("draft: Review, spots: list[Spot] -> review: Review", "Improve.", typeof(Review), typeof(Spot));
        var draft = FieldMap.Of(("author", FieldMap.Of(("name", "Ann"))), ("mood", "Low"));
        var spots = ImmutableArray.Create<object?>(FieldMap.Of(("x", 1L), ("y", 2L)));
        var messages = JsonAdapter.Compact.Render(new(signature, FieldMap.Of(("draft", draft), ("spots", spots)), []));

        Assert.Contains(
            """
            {
              "review": {
                # What one reader thought.
                author: {
                  # Who wrote.
                  name: string,
                },
                # As told.
                # Mood: How it feels. Low: sad or tired
                mood: "Low" or "High",
              }
            }
            """, messages[0].Text, StringComparison.Ordinal);
        Assert.StartsWith(
            """
            [[ ## draft ## ]]
            {
              "author": {
                "name": "Ann"
              },
              "mood": "Low"
            }

            [[ ## spots ## ]]
            [{"x": 1, "y": 2}]

            """, messages[1].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void AllowedValues_AreAClosedList()
    {
        var fields = SignatureReflector.Fields(typeof(Graded), FieldDirection.Output).ToDictionary(field => field.Name, field => field.Type.ToString());

        Assert.Equal(("Literal['yes', 'no']", "Literal[1, 2] | None", "Literal[0.5, 1.0]"), (fields["answer"], fields["level"], fields["weight"]));
        var values = FieldMap.Of(("answer", "no"), ("level", 2L), ("weight", 1L), ("step", 1.5), ("name", "n"), ("plain", 1L));
        Assert.Equal(new Graded("no", 2, 1.0, 1.5, "n", 1), SignatureReflector.FromFieldMap<Graded>(values));
        Assert.Throws<AdapterParseException>(() => JsonAdapter.Default.Parse(
            Signature.Parse("q -> graded: Graded", null, typeof(Graded)), """{"graded": {"answer": "maybe", "level": 1, "weight": 0.5, "step": 1, "name": "n", "plain": 1}}"""));
        Assert.Contains("AllowedValues", Assert.Throws<HoneException>(() => SignatureReflector.Fields(typeof(Misfit), FieldDirection.Output).ToList()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MultipleOfAndRequired_AreBounds()
    {
        var fields = SignatureReflector.Fields(typeof(Graded), FieldDirection.Output).ToDictionary(field => field.Name, field => field.Constraints);

        Assert.Equal([new FieldConstraint("multiple_of", 0.5)], fields["step"]);
        Assert.Equal([new FieldConstraint("min_length", 1L)], fields["name"]);
        Assert.Equal([new FieldConstraint("multiple_of", 3L)], SignatureReflector.Fields(typeof(Threes), FieldDirection.Output).Single().Constraints);
        Assert.Throws<HoneException>(() => new MultipleOfAttribute(0));
        Assert.Throws<HoneException>(() => new MultipleOfAttribute(double.NaN));
    }

    /// <summary>A bound that nobody checks is none.</summary>
    [Fact]
    public void OtherAnnotations_AreRefused()
    {
        var error = Assert.Throws<HoneException>(() => new Predict<string, Mail>());

        Assert.Contains("[EmailAddress] on Mail.To", error.Message, StringComparison.Ordinal);
        Assert.Contains("[RegularExpression]", error.Message, StringComparison.Ordinal);
    }

    private enum Tone
    {
        Cold,
        Warm,
    }

    [Description("How it feels.")]
    private enum Mood
    {
        [Description("sad or tired")]
        Low,
        High,
    }

    private readonly record struct Spot(int X, int Y);

    private sealed class Plan
    {
        public string Title { get; init; } = "";

        public List<string> Names { get; init; } = ["a", "b"];

        public List<string> Notes { get; init; } = [];

        public ImmutableArray<string> Unset { get; init; }

        public (int A, string? B) Pair { get; init; }

        public Dictionary<string, double> Weights { get; init; } = new() { ["x"] = 1.5 };

        public TimeSpan Every { get; init; } = TimeSpan.FromHours(2);

        public TimeSpan Start { get; init; }

        public Spot Place { get; init; } = new(1, 2);

        public Spot Origin { get; init; }

        public DateOnly Day { get; init; } = new(2026, 1, 2);

        public Tone Tone { get; init; } = Tone.Warm;

        public string Empty { get; init; } = string.Empty;

        public int Count { get; init; }

        public DateTimeOffset? Due { get; init; } = DateTimeOffset.UnixEpoch;
    }

    private sealed class Chain
    {
        private static readonly Chain End = new(isEnd: true);

        public Chain()
            : this(isEnd: false)
        {
        }

        private Chain(bool isEnd) => (Name, Next) = (isEnd ? "end" : null, isEnd ? null : End);

        public string? Name { get; init; }

        public Chain? Next { get; init; }
    }

    [Description("Who wrote.")]
    private sealed record Author(string Name);

    [Description("What one reader thought.")]
    private sealed record Review(Author Author, [property: Description("As told.")] Mood Mood);

    private sealed record Graded(
        [AllowedValues("yes", "no")] string Answer,
        [AllowedValues(1, 2, null)] int? Level,
        [AllowedValues(0.5, 1.0)] double Weight,
        [MultipleOf(0.5)] double Step,
        [Required] string Name,
        [DataType(DataType.Currency)] int Plain);

    private sealed record Threes([MultipleOf(3)] int Number);

    private sealed record Misfit([AllowedValues(1, "two")] int Number);

    private sealed record Mail([property: EmailAddress] string To);
}
