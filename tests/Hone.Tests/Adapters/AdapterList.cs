namespace Hone.Tests.Adapters;

/// <summary>Every adapter by a short name, for tests that run over all of them.</summary>
internal static class AdapterList
{
    private static readonly Dictionary<string, Func<bool, Adapter>> All = new()
    {
        ["chat"] = useNativeTools => new ChatAdapter { UseNativeTools = useNativeTools },
        ["json"] = useNativeTools => new JsonAdapter { UseNativeTools = useNativeTools },
        ["compact"] = useNativeTools => new JsonAdapter { UseNativeTools = useNativeTools, SchemaStyle = SchemaStyle.Compact },
        ["xml"] = useNativeTools => new XmlAdapter { UseNativeTools = useNativeTools },
        ["twostep"] = useNativeTools => new TwoStepAdapter { UseNativeTools = useNativeTools },
    };

    public static IEnumerable<string> Names => All.Keys;

    /// <summary>The adapters that read their own answers.</summary>
    public static IEnumerable<string> OneStepNames => Names.Where(name => name != "twostep");

    public static Adapter Named(string name, bool useNativeTools = false) => All[name](useNativeTools);
}
