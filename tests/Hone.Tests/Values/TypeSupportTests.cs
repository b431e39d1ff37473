using System.Collections.ObjectModel;

namespace Hone.Tests.Values;

/// <summary>What is registered behaves as what is discovered. That it works without discovery is shown by samples/NativeAot, which CI publishes.</summary>
public class TypeSupportTests
{
    [Fact]
    public void RegisterList_ReadsAndDescribesLikeDiscovery()
    {
        TypeSupport.RegisterList<Collection<short>, short>();
        TypeSupport.RegisterList<SortedSet<short>, short>();
        TypeSupport.RegisterList<short[], short>();

        var parts = SignatureReflector.FromFieldMap<Registered>(Fields());
        var discovered = SignatureReflector.FromFieldMap<Discovered>(Fields());

        Assert.Equal([3, 1], parts.List);
        Assert.Equal(discovered.List, parts.List.Select(value => (int)value));
        Assert.Equal(discovered.Set, parts.Set.Select(value => (int)value));
        Assert.Equal(discovered.Array, parts.Array.Select(value => (int)value));
        Assert.Equal(TypesOf(typeof(Discovered)), TypesOf(typeof(Registered)));
    }

    [Fact]
    public void RegisterDictionary_ReadsAndWritesLikeDiscovery()
    {
        TypeSupport.RegisterDictionary<SortedDictionary<short, decimal>, short, decimal>();

        var value = SignatureReflector.FromFieldMap<Prices>(FieldMap.Of(("prices", FieldMap.Of(("7", 1.5)))));

        Assert.Equal(1.5m, value.ByYear[7]);
        Assert.Equal(FieldMap.Of(("7", 1.5m)), SignatureReflector.ToFieldMap(value)["prices"]);
    }

    [Fact]
    public void Register_TuplesAndRecords_MayBeRepeated()
    {
        for (var i = 0; i < 2; i++)
        {
            TypeSupport.Register<(byte, Prices)>();
            TypeSupport.Register<Prices>();
        }

        Assert.True(ClrShape.IsKnown(typeof(Prices)));
        Assert.Equal("tuple[int, Prices]", ClrTypes.Of(typeof((byte, Prices))).ToString());
    }

    private static FieldMap Fields() => FieldMap.Of(
        ("list", ClrValues.List([3L, 1L])), ("set", ClrValues.List([3L, 1L, 3L])), ("array", ClrValues.List([9L])));

    private static IEnumerable<string> TypesOf(Type type) => SignatureReflector.Fields(type, FieldDirection.Output).Select(field => $"{field.Name}: {field.Type}");

    private sealed record Registered(Collection<short> List, SortedSet<short> Set, short[] Array);

    private sealed record Discovered(Collection<int> List, SortedSet<int> Set, int[] Array);

    private sealed record Prices([property: System.Text.Json.Serialization.JsonPropertyName("prices")] SortedDictionary<short, decimal> ByYear);
}
