using System.Collections.Immutable;

namespace Hone.Tests.Adapters;

public sealed class ChatAdapterGoldenTests
{
    private static readonly ChatAdapter Adapter = new();

    [Fact]
    public void Render_Plain_MatchesGolden() => Check("plain", Signature.Parse("question -> answer"), FieldMap.Of(("question", "What is 2+2?")));

    [Fact]
    public void Render_Typed_MatchesGolden() => Check(
        "typed",
        Signature.Parse(
            "text, limit: int -> people: list[Person], mood: Literal['calm', \"it's fine\"], sure: bool, ratio: float | None, when: date, pair: tuple[int, str], note: str | None, anything: Any",
            "Extract things.\n\nBe strict:\n  - no guesses",
            typeof(Person)),
        FieldMap.Of(("text", "Zoë is 41."), ("limit", 3L)));

    [Fact]
    public void Render_Demos_MatchesGolden() => Check(
        "demos",
        Signature.Parse("question -> answers: list[str], score: float", "Answer briefly."),
        FieldMap.Of(("question", "Q2")),
        new Demo(FieldMap.Of(("question", "Q1"), ("answers", ImmutableArray.Create<object?>("A1", "A2")), ("score", 0.9))),
        new Demo(FieldMap.Of(("question", "Q0"), ("answers", ImmutableArray.Create<object?>("A")))));

    [Fact]
    public void Render_Constraints_MatchesGolden() => Check(
        "constraints",
        Signature.Parse("essay, rubric: list[str] -> points: int, notes")
            .WithUpdatedField("essay", field => field with { Description = "the essay to grade" })
            .WithUpdatedField("points", field => field with { Description = "points given", Constraints = [new("ge", 0L), new("le", 100L)] })
            .WithUpdatedField("notes", field => field with { Constraints = [new("max_length", 200L)] }),
        FieldMap.Of(("essay", ImmutableArray.Create<object?>("one line", "two\nlines")), ("rubric", ImmutableArray.Create<object?>("a", "b"))));

    [Fact]
    public void Render_History_MatchesGolden() => Check(
        "history",
        Signature.Parse("history: History, question -> answer"),
        FieldMap.Of(
            ("history", History.Of(FieldMap.Of(("question", "Hi?"), ("answer", "Hello.")), FieldMap.Of(("question", "And?")))),
            ("question", "Now?")));

    private static void Check(string name, Signature signature, FieldMap inputs, params ImmutableArray<Demo> demos) =>
        GoldenFile.Check(name, Adapter.Render(new(signature, inputs, demos)));

    private sealed record Person(string Name, int Age, string? Email = null);
}
