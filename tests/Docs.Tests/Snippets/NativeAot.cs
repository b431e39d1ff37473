using Hone;

namespace Docs.Tests.Snippets.NativeAot;

public sealed record Remark(string Passage, string Advice);

internal static class NativeAotSketches
{
    public static void Register()
    {
        #region native-register
        TypeSupport.Register<Remark>();                                  // a nested record, struct or tuple
        TypeSupport.RegisterList<IReadOnlyList<Remark>, Remark>();       // a list, set or array, as declared
        TypeSupport.RegisterDictionary<Dictionary<string, int>, string, int>();
        #endregion
    }
}
