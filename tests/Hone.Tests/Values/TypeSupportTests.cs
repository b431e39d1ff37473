using System.Collections.Immutable;
using System.Collections.ObjectModel;
using System.Net;

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

    /// <summary>Types of .NET and of libraries cannot carry an attribute.</summary>
    [Fact]
    public void RegisterPromptType_MakesAFieldOfATypeOfTheFramework()
    {
        for (var i = 0; i < 2; i++)
            TypeSupport.RegisterPromptType(new EndPointPromptType());

        var type = ClrTypes.Of(typeof(IPEndPoint));
        Assert.Equal((FieldTypeKind.Custom, "IPEndPoint"), (type.Kind, type.Name));
        var release = SignatureReflector.FromFieldMap<Release>(FieldMap.Of(("number", At(1)), ("others", ImmutableArray.Create<object?>(At(3)))));
        Assert.Equal((At(1), At(3)), (release.Number, release.Others[0]));
        var signature = Signature.Parse("text -> number: IPEndPoint", null, typeof(IPEndPoint));
        Assert.Equal(At(5), ChatAdapter.Default.Parse(signature, "[[ ## number ## ]]\n@127.0.0.1:5")["number"]);

        Assert.Contains("already", Assert.Throws<HoneException>(() => TypeSupport.RegisterPromptType(new OtherPromptType())).Message, StringComparison.Ordinal);
        Assert.Contains("by itself", Assert.Throws<HoneException>(() => TypeSupport.RegisterPromptType(new IntegerPromptType())).Message, StringComparison.Ordinal);
        Assert.Throws<HoneException>(() => ClrTypes.Of(typeof(Cookie)));
        Assert.Contains("before", Assert.Throws<HoneException>(() => TypeSupport.RegisterPromptType(new CookiePromptType())).Message, StringComparison.Ordinal);
    }

    private static IPEndPoint At(int port) => new(IPAddress.Loopback, port);

    private sealed record Release(IPEndPoint Number, IReadOnlyList<IPEndPoint> Others);

    private sealed class EndPointPromptType : PromptType<IPEndPoint>
    {
        public override string ToText(IPEndPoint value) => value.ToString();

        public override IPEndPoint FromText(string text) => IPEndPoint.Parse(text.TrimStart('@'));
    }

    private sealed class OtherPromptType : PromptType<IPEndPoint>
    {
        public override string ToText(IPEndPoint value) => value.ToString();

        public override IPEndPoint FromText(string text) => IPEndPoint.Parse(text);
    }

    private sealed class IntegerPromptType : PromptType<int>
    {
        public override string ToText(int value) => $"{value}";

        public override int FromText(string text) => int.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
    }

    private sealed class CookiePromptType : PromptType<Cookie>
    {
        public override string ToText(Cookie value) => value.Name;

        public override Cookie FromText(string text) => new(text, "");
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
