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
    public void Indexer_UnknownName_ListsTheFields() => Assert.Contains(
        "Fields: a, b.", Assert.Throws<HoneException>(() => FieldMap.Of(("a", 1L), ("b", 2L))["c"]).Message, StringComparison.Ordinal);
}
