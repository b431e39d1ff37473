using System.Collections.Immutable;
using CsCheck;

namespace Hone.Tests.Primitives;

public sealed class FieldMapTests
{
    [Fact]
    public void Create_NamesGivenTwice_KeepFirstPositionAndLastValue() => Gen.Select(Gen.Int[0, 30], Gen.Int[0, 100]).Array[0, 60].Sample(pairs =>
    {
        var expected = new List<KeyValuePair<string, object?>>();
        foreach (var (key, value) in pairs)
        {
            var pair = KeyValuePair.Create($"k{key}", (object?)(long)value);
            var index = expected.FindIndex(each => each.Key == pair.Key);
            if (index < 0)
                expected.Add(pair);
            else
                expected[index] = pair;
        }

        var map = FieldMap.Create(pairs.Select(pair => KeyValuePair.Create($"k{pair.Item1}", (object?)(long)pair.Item2)));

        Assert.Equal(expected, map);
        Assert.Equal(expected.Count, map.Count);
        Assert.All(expected, pair => Assert.Equal(pair.Value, map[pair.Key]));
        Assert.False(map.ContainsKey("none"));
        Assert.Equal(map, FieldMap.Create(expected.AsEnumerable().Reverse()));
        Assert.Equal(map.GetHashCode(), FieldMap.Create(expected.AsEnumerable().Reverse()).GetHashCode());
    });

    [Theory]
    [InlineData(3)]
    [InlineData(40)]
    public void With_AndWithout_ChangeOneField(int count)
    {
        var map = FieldMap.Create(Enumerable.Range(0, count).Select(i => KeyValuePair.Create($"k{i}", (object?)(long)i)));

        Assert.Equal(["k0", "k1"], map.With("k1", "x").Keys.Take(2));
        Assert.Equal("x", map.With("k1", "x")["k1"]);
        Assert.Equal(count + 1, map.With("new", null).Count);
        Assert.Equal("new", map.With("new", null).Keys.Last());
        Assert.Equal(count - 1, map.Without("k1").Count);
        Assert.False(map.Without("k1").ContainsKey("k1"));
        Assert.Same(map, map.Without("none"));
        Assert.Equal(1L, map["k1"]);
    }

    [Fact]
    public void Create_ManyFields_AreFoundAtOnce()
    {
        // Comparing each name with all others would take minutes.
        var map = FieldMap.Create(Enumerable.Range(0, 300_000).Select(i => KeyValuePair.Create($"k{i}", (object?)(long)i)));

        for (var i = 0; i < map.Count; i += 7)
            Assert.Equal((long)i, map[$"k{i}"]);
        Assert.Equal(map, FieldMap.Create(map.Reverse()));
    }

    [Fact]
    public void Equals_ComparesWhatValuesHold()
    {
        Assert.Equal(
            FieldMap.Of(("a", ImmutableArray.Create<object?>(1L, new byte[] { 1 })), ("b", FieldMap.Of(("c", double.NaN)))),
            FieldMap.Of(("b", FieldMap.Of(("c", double.NaN))), ("a", ImmutableArray.Create<object?>(1L, new byte[] { 1 }))));
        Assert.NotEqual(FieldMap.Of(("a", 1L)), FieldMap.Of(("a", 1.0)));
        Assert.NotEqual(FieldMap.Of(("a", null)), FieldMap.Of(("b", null)));
    }

    [Fact]
    public void Get_IsTheValueAsAType()
    {
        var map = FieldMap.Of(
            ("n", 3L), ("word", "late"), ("names", ImmutableArray.Create<object?>("a", "b")), ("none", null),
            ("point", FieldMap.Of(("x", 1L), ("y", 2L))));

        Assert.Equal((3, 3L, 3.0), (map.Get<int>("n"), map.Get<long>("n"), map.Get<double>("n")));
        Assert.Equal(("late", DayOfWeek.Friday), (map.Get<string>("word"), FieldMap.Of(("d", "Friday")).Get<DayOfWeek>("d")));
        Assert.Equal(["a", "b"], map.Get<IReadOnlyList<string>>("names"));
        Assert.Equal(new Point(1, 2), map.Get<Point>("point"));
        Assert.Equal(2L, map.Get<FieldMap>("point")["y"]);
        Assert.Null(map.Get<int?>("none"));
        Assert.Null(map.Get<string?>("none"));
        Assert.Contains("Fields: n, word", Assert.Throws<HoneException>(() => map.Get<int>("m")).Message, StringComparison.Ordinal);
        Assert.Contains("word", Assert.Throws<ValueCoercionException>(() => map.Get<int>("word")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ToJson_AndToString_ShowWhatIsInside()
    {
        var map = FieldMap.Of(
            ("text", "say \"ü\"\n"), ("n", 3L), ("half", 0.5), ("flag", true), ("none", null), ("exact", 1.10m), ("day", new DateOnly(2026, 2, 3)),
            ("list", ImmutableArray.Create<object?>(1L, FieldMap.Of(("a", "b")), ImmutableArray<object?>.Empty)), ("bytes", new byte[] { 1, 2 }));

        const string Json = """{"text": "say \"ü\"\n", "n": 3, "half": 0.5, "flag": true, "none": null, "exact": 1.10, "day": "2026-02-03", "list": [1, {"a": "b"}, []], "bytes": "AQI="}""";
        Assert.Equal(Json, map.ToString());
        Assert.Equal(Json, map.ToJson().GetRawText());
        Assert.Equal("{}", FieldMap.Empty.ToString());
        Assert.Contains("image/png", FieldMap.Of(("picture", Image.FromBytes(new byte[] { 1 }, "image/png"))).ToString(), StringComparison.Ordinal);
        Assert.Equal("data:image/png;base64,AQ==", FieldMap.Of(("picture", Image.FromBytes(new byte[] { 1 }, "image/png"))).ToJson().GetProperty("picture").GetProperty("uri").GetString());
    }

    private sealed record Point(int X, int Y);

    [Fact]
    public void Indexer_UnknownName_ListsTheFields() => Assert.Contains(
        "Fields: a, b.", Assert.Throws<HoneException>(() => FieldMap.Of(("a", 1L), ("b", 2L))["c"]).Message, StringComparison.Ordinal);
}
