using System.Collections.Immutable;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Hone.Tests.Values;

public sealed class SignatureReflectorTests
{
    private enum Mood
    {
        Calm,
        VeryHappy,
    }

    [Fact]
    public void Fields_Record_SnakeCaseNamesTypesAndDescriptions()
    {
        var fields = SignatureReflector.Fields(typeof(Everything), FieldDirection.Output).ToDictionary(field => field.Name);

        Assert.Equal(
            ["key_facts", "score", "mood", "note", "people", "counts", "day", "at", "price", "id", "link", "maybe", "tags"],
            SignatureReflector.Fields(typeof(Everything), FieldDirection.Output).Select(field => field.Name));
        Assert.Equal("list[str]", fields["key_facts"].Type.ToString());
        Assert.Equal("what is known", fields["key_facts"].Description);
        Assert.Equal([new FieldConstraint("ge", 0L), new FieldConstraint("le", 10L)], fields["score"].Constraints);
        Assert.Equal(FieldTypeKind.Enum, fields["mood"].Type.Kind);
        Assert.Equal("str | None", fields["note"].Type.ToString());
        Assert.Equal("int | None", fields["maybe"].Type.ToString());
        Assert.Equal("list[Person]", fields["people"].Type.ToString());
        Assert.Equal("full_name", fields["people"].Type.Arguments[0].Properties[0].Name);
        Assert.Equal("dict[str, int]", fields["counts"].Type.ToString());
        Assert.Equal(FieldTypeKind.Date, fields["day"].Type.Kind);
        Assert.Equal(FieldTypeKind.DateTime, fields["at"].Type.Kind);
        Assert.Equal(FieldTypeKind.Decimal, fields["price"].Type.Kind);
        Assert.Equal(FieldTypeKind.Guid, fields["id"].Type.Kind);
        Assert.Equal(FieldTypeKind.Uri, fields["link"].Type.Kind);
        Assert.True(fields["tags"].HasDefault);
        Assert.Null(fields["tags"].Default);
    }

    [Fact]
    public void FromFieldMap_OfToFieldMap_RoundTrips()
    {
        var value = new Everything(
            ["a", "b"], 3, Mood.VeryHappy, null, [new Person("Zoë", 41) { Email = "z@x" }], new() { ["a"] = 1 }, new(2024, 2, 29),
            new(2024, 1, 2, 3, 4, 5, TimeSpan.FromHours(2)), 1.10m, Guid.Parse("11111111-2222-3333-4444-555555555555"), new("https://x.y/z"), null);

        var map = SignatureReflector.ToFieldMap(value);
        var back = SignatureReflector.FromFieldMap<Everything>(map);

        Assert.Equal("VeryHappy", map["mood"]);
        Assert.Equal(value.KeyFacts, back.KeyFacts);
        Assert.Equal(value.People[0], back.People[0]);
        Assert.Equal(value.Counts, back.Counts);
        Assert.Equal(value with { KeyFacts = back.KeyFacts, People = back.People, Counts = back.Counts }, back);
    }

    [Fact]
    public void Fields_BareType_HasOneField()
    {
        var input = Assert.Single(SignatureReflector.Fields(typeof(string), FieldDirection.Input));
        var output = Assert.Single(SignatureReflector.Fields(typeof(List<int>), FieldDirection.Output));

        Assert.Equal("input", input.Name);
        Assert.Equal("answer", output.Name);
        Assert.Equal("list[int]", output.Type.ToString());
        Assert.Equal(5, SignatureReflector.FromFieldMap<int>(FieldMap.Of(("answer", 5L))));
    }

    [Fact]
    public void FromFieldMap_RequiredValueIsNull_NamesPath()
    {
        var map = FieldMap.Of(("people", new List<object?> { FieldMap.Of(("full_name", null), ("age", 3L)) }));
        var canonical = (FieldMap)ClrValues.ToCanonical(map)!;

        var error = Assert.Throws<ValueCoercionException>(() => SignatureReflector.FromFieldMap<Team>(canonical));

        Assert.Equal("$.people[0].full_name", error.Path);
    }

    [Fact]
    public void ToCanonical_ListChangedAfterwards_SnapshotStays()
    {
        var list = new List<string> { "a" };
        var snapshot = ClrValues.ToCanonical(list);
        list.Add("b");

        Assert.Equal(["a"], (ImmutableArray<object?>)snapshot!);
    }

    [Fact]
    public void FromFieldMap_ClassWithInitializers_KeepsThemWhenAbsent()
    {
        var options = SignatureReflector.FromFieldMap<Options>(FieldMap.Of(("count", 2L)));

        Assert.Equal("dry", options.Tone);
        Assert.Equal(2, options.Count);
        Assert.True(SignatureReflector.Fields(typeof(Options), FieldDirection.Input).First(field => field.Name == "tone").HasDefault);
    }

    private sealed class Options
    {
        public string Tone { get; init; } = "dry";

        public int Count { get; set; }
    }

    private sealed record Person(string FullName, int Age)
    {
        public string? Email { get; init; }
    }

    private sealed record Team(List<Person> People);

    private sealed record Everything(
        [Description("what is known")] IReadOnlyList<string> KeyFacts,
        [Range(0, 10)] int Score,
        Mood Mood,
        string? Note,
        List<Person> People,
        Dictionary<string, int> Counts,
        DateOnly Day,
        DateTimeOffset At,
        decimal Price,
        Guid Id,
        Uri Link,
        int? Maybe,
        string[]? Tags = null);
}
