using System.Net;
using System.Text;

namespace Hone.Optimizers;

/// <summary>The files of the page: part of the assembly, nothing is read from elsewhere.</summary>
internal sealed class PageFiles
{
    private readonly Dictionary<string, (string Type, byte[] Content)> files;

    public PageFiles(string title, string actionToken) => files = new(StringComparer.Ordinal)
    {
        ["/"] = ("text/html; charset=utf-8", Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(Load("index.html"))
            .Replace("{{title}}", WebUtility.HtmlEncode(title), StringComparison.Ordinal)
            .Replace("{{action}}", actionToken, StringComparison.Ordinal))),
        ["/dashboard.css"] = ("text/css; charset=utf-8", Load("dashboard.css")),
        ["/dashboard.js"] = ("text/javascript; charset=utf-8", Load("dashboard.js")),
        ["/icon.svg"] = ("image/svg+xml", Load("icon.svg")),
    };

    public (string Type, byte[] Content)? Find(string path) => files.TryGetValue(path, out var file) ? file : null;

    internal static byte[] Load(string name)
    {
        using var stream = typeof(PageFiles).Assembly.GetManifestResourceStream($"Page/{name}")
            ?? throw new HoneException($"The assembly lacks its resource Page/{name}.");
        var content = new byte[stream.Length];
        stream.ReadExactly(content);
        return content;
    }
}
