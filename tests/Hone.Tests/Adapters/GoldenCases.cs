using System.Collections.Immutable;
using System.ComponentModel;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Adapters;

/// <summary>The requests whose rendering by each adapter is kept in a file.</summary>
internal static class GoldenCases
{
    private static readonly Dictionary<string, Func<AdapterRequest>> All = new()
    {
        ["plain"] = () => Request("question -> answer", ("question", "What is 2+2?")),
        ["typed"] = () => new(
            Signature.Parse(
                "text, limit: int -> people: list[Person], mood: Literal['calm', \"it's fine\"], sure: bool, ratio: float | None, when: date, pair: tuple[int, str], note: str | None, anything: Any",
                "Extract things.\n\nBe strict:\n  - no guesses",
                typeof(Person)),
            FieldMap.Of(("text", "Zoë is 41."), ("limit", 3L)),
            []),
        ["types"] = Types,
        ["demos"] = () => Request("question -> answers: list[str], score: float", ("question", "Q2")) with
        {
            Signature = Signature.Parse("question -> answers: list[str], score: float", "Answer briefly."),
            Demos =
            [
                new(FieldMap.Of(("question", "Q1"), ("answers", List("A1", "A2")), ("score", 0.9))),
                new(FieldMap.Of(("question", "Q0"), ("answers", List("A")))),
            ],
        },
        ["constraints"] = () => new(
            Signature.Parse("essay, rubric: list[str] -> points: int, notes")
                .WithUpdatedField("essay", field => field with { Description = "the essay to grade" })
                .WithUpdatedField("points", field => field with { Description = "points given", Constraints = [new("ge", 0L), new("le", 100L)] })
                .WithUpdatedField("notes", field => field with { Constraints = [new("max_length", 200L)] }),
            FieldMap.Of(("essay", List("one line", "two\nlines")), ("rubric", List("a", "b"))),
            []),
        ["history"] = () => Request(
            "history: History, question -> answer",
            ("history", History.Of(FieldMap.Of(("question", "Hi?"), ("answer", "Hello.")), FieldMap.Of(("question", "And?")))),
            ("question", "Now?")),
        ["media"] = () => Request(
            "picture: Image, sound: Audio, paper: Document, question -> answer",
            ("picture", Image.FromBytes(new byte[12], "image/png")),
            ("sound", Audio.FromBytes(new byte[5], "audio/wav")),
            ("paper", Document.FromText("Trees are tall.", "On trees", "a leaflet")),
            ("question", "What do they share?")),
        ["media_nested"] = () => new(
            Signature.Parse("pictures: list[Image], album: Album, question -> answer", null, typeof(Album)),
            FieldMap.Of(
                ("pictures", List(Image.FromBytes(new byte[1], "image/png"), Image.FromUri(new Uri("https://example.org/b.png")))),
                ("album", FieldMap.Of(("title", "Summer"), ("cover", Image.FromBytes(new byte[3], "image/jpeg")), ("extra", null))),
                ("question", "Which one is the cover?")),
            []),
        ["special"] = () => Request("task -> thoughts: Reasoning, program: Code['csharp'], sources: Citations", ("task", "Add two numbers.")),
        ["tools"] = Tools,
        ["tools_only"] = () => Tools() with { Signature = Signature.Parse("question, tools: list[Tool] -> calls: ToolCalls") },
        ["history_tools"] = () => Tools() with
        {
            Signature = Signature.Parse("history: History, question, tools: list[Tool] -> thought, calls: ToolCalls"),
            Inputs = Tools().Inputs.With("history", History.Of(
                FieldMap.Of(("question", "Oslo?"), ("thought", "I look it up."), ("calls", Calls("c1", "c2")), ("tool_call_results", Results("c1", "c2"))),
                FieldMap.Of(("question", "Rome?"), ("thought", "Again."), ("calls", Calls("c3")), ("tool_call_results", Results("other"))))),
        },
    };

    public static IEnumerable<string> Names => All.Keys;

    public static AdapterRequest Named(string name) => All[name]();

    private static AdapterRequest Tools() => Request(
        "question, tools: list[Tool] -> thought, calls: ToolCalls",
        ("question", "How warm is it in Oslo and Rome?"),
        ("tools", List(AIFunctionFactory.Create(Weather, "weather"), AIFunctionFactory.Create(() => 0, "now", "The time."))));

    private static AdapterRequest Types() => new(
        Signature.Parse(
            "text, limits: dict[str, int] -> sure: bool, count: int, ratio: float, price: Decimal, color: Color, grade: Literal[1, 2], words: list[str], "
            + "ages: dict[str, int], person: Person, team: list[Team], note: str | None, age: int | None, either: int | list[str], day: date, time: datetime",
            null,
            typeof(Person),
            typeof(Team),
            typeof(Color)),
        FieldMap.Of(("text", "a < b & c"), ("limits", FieldMap.Of(("a", 1L), ("b c", 2L)))),
        [
            new(FieldMap.Of(
                ("text", "An example."), ("limits", FieldMap.Empty), ("sure", true), ("count", 3L), ("ratio", 2.0), ("price", 1.50m), ("color", "Red"), ("grade", 2L),
                ("words", List("x < y", "two\nlines", string.Empty)), ("ages", FieldMap.Of(("Zoë", 41L), ("a b", 2L))),
                ("person", FieldMap.Of(("name", "Zoë"), ("age", 41L), ("email", null))),
                ("team", List(FieldMap.Of(("lead", FieldMap.Of(("name", "Bo"), ("age", 1L), ("email", "b@x"))), ("tags", FieldMap.Of(("k", List("v")))), ("members", List())))),
                ("note", null), ("age", null), ("either", List("5", "six")), ("day", new DateOnly(2024, 2, 29)),
                ("time", new DateTimeOffset(2024, 2, 29, 12, 30, 0, TimeSpan.Zero)))),
        ]);

    private static AdapterRequest Request(string signature, params ReadOnlySpan<(string, object?)> inputs) => new(Signature.Parse(signature), FieldMap.Of(inputs), []);

    private static FieldMap Calls(params string[] ids) => ToolValues.Of(new ToolCalls(
        [.. ids.Select((id, i) => new ToolCall("weather", FieldMap.Of(("city", i == 0 ? "Oslo" : "Rome"))) { Id = id })]));

    private static object? Results(params string[] ids) =>
        ToolValues.Of(new ToolResults([.. ids.Select((id, i) => new ToolResult(id, "weather", FieldMap.Of(("degrees", 5L + i))))]))["tool_call_results"];

    private static ImmutableArray<object?> List(params ImmutableArray<object?> items) => items;

    [Description("The weather in a city.")]
    private static string Weather([Description("name of the city")] string city, int days = 1) => $"{city} {days}";

    private enum Color
    {
        Red,
        Green,
    }

    private sealed record Person(string Name, int Age, string? Email = null);

    private sealed record Team(Person Lead, IReadOnlyDictionary<string, IReadOnlyList<string>> Tags, IReadOnlyList<Person> Members);

    private sealed record Album(string Title, Image Cover, Image? Extra = null);
}
