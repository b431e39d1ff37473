using System.Globalization;
using System.Net;
using System.Text;

namespace Hone;

/// <summary>Builds one self-contained HTML page: no script, no external file, readable in light and dark.</summary>
internal sealed class HtmlWriter
{
    private const string Style = """
        :root{--ink:#1d2430;--soft:#667085;--line:#d9dee7;--page:#fff;--card:#f6f7f9;--blue:#2563eb;--green:#0f8a5f;--red:#c2410c}
        @media (prefers-color-scheme:dark){:root{--ink:#e6e9ef;--soft:#98a2b3;--line:#344054;--page:#12161d;--card:#1b212b;--blue:#7aa7ff;--green:#4fd1a1;--red:#fb923c}}
        *{box-sizing:border-box}body{margin:0 auto;max-width:72rem;padding:2rem 1.25rem 4rem;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
        h1{font-size:1.6rem;margin:0 0 .25rem}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}p{margin:.4rem 0}.soft{color:var(--soft)}
        .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.7rem;margin:1rem 0}
        .tile,.card{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:.7rem .9rem}.tile b{display:block;font-size:1.35rem;font-variant-numeric:tabular-nums}
        .charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(20rem,1fr));gap:1rem}svg{width:100%;height:auto;display:block}svg text{fill:var(--soft);font:11px system-ui}
        table{border-collapse:collapse;width:100%;font-size:.9rem}td,th{border-bottom:1px solid var(--line);padding:.3rem .5rem;text-align:left;vertical-align:top}td.n{text-align:right;font-variant-numeric:tabular-nums}
        .pair{display:grid;grid-template-columns:1fr 1fr;gap:.8rem}@media (max-width:48rem){.pair{grid-template-columns:1fr}}
        pre{margin:.3rem 0;white-space:pre-wrap;overflow-wrap:anywhere;font:12.5px/1.45 ui-monospace,monospace}details{margin:.4rem 0}summary{cursor:pointer}
        .good{color:var(--green)}.bad{color:var(--red)}
        """;

    private readonly StringBuilder text = new();

    public HtmlWriter Raw(string html)
    {
        text.Append(html).Append('\n');
        return this;
    }

    public HtmlWriter Element(string tag, string content, string? cssClass = null) =>
        Raw($"<{tag}{(cssClass is null ? "" : $" class=\"{cssClass}\"")}>{Escape(content)}</{tag}>");

    public HtmlWriter Tiles(IEnumerable<(string Label, string Value)> tiles)
    {
        Raw("<div class=\"tiles\">");
        foreach (var (label, value) in tiles)
            Raw($"<div class=\"tile\"><b>{Escape(value)}</b><span class=\"soft\">{Escape(label)}</span></div>");
        return Raw("</div>");
    }

    public HtmlWriter Table(IEnumerable<(string Name, string Value)> rows)
    {
        Raw("<table>");
        foreach (var (name, value) in rows)
            Raw($"<tr><td class=\"soft\">{Escape(name)}</td><td>{Escape(value)}</td></tr>");
        return Raw("</table>");
    }

    public string Page(string title) => $"""
        <!doctype html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>{Escape(title)}</title><style>{Style}</style></head>
        <body>
        {text}</body></html>
        """;

    public static string Escape(string value) => WebUtility.HtmlEncode(value);

    public static string Number(double value, string format = "0.000") => value.ToString(format, CultureInfo.InvariantCulture);
}
