namespace Hone.Tests.Adapters;

/// <summary>Every adapter by a short name, for tests that run over all of them.</summary>
internal static class AdapterList
{
    private static readonly Dictionary<string, Adapter> All = new()
    {
        ["chat"] = new ChatAdapter(),
        ["json"] = new JsonAdapter(),
        ["compact"] = new JsonAdapter { SchemaStyle = SchemaStyle.Compact },
        ["xml"] = new XmlAdapter(),
        ["twostep"] = new TwoStepAdapter(),
    };

    public static IEnumerable<string> Names => All.Keys;

    public static Adapter Named(string name) => All[name];
}
