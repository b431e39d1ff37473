using System.Globalization;
using System.Text;

namespace Hone.Optimizers;

/// <summary>A point of a curve, with the interval around it where one is known.</summary>
internal readonly record struct ChartPoint(double X, double Y, ConfidenceInterval? Interval = null);

/// <summary>A small line chart as inline SVG.</summary>
internal static class LineChart
{
    private const int Width = 460;
    private const int Height = 220;
    private const int Left = 44;
    private const int Right = 12;
    private const int Top = 28;
    private const int Bottom = 26;

    public static string Draw(string title, IReadOnlyList<ChartPoint> points, string format = "0.00")
    {
        if (points.Count == 0)
            return string.Empty;
        var (low, high) = Range(points);
        var (first, last) = (points[0].X, Math.Max(points[^1].X, points[0].X + 1));
        string X(double x) => Coordinate(Left + ((x - first) / (last - first) * (Width - Left - Right)));
        string Y(double y) => Coordinate(Height - Bottom - ((y - low) / (high - low) * (Height - Top - Bottom)));

        var svg = new StringBuilder($"<div class=\"card\"><svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{HtmlWriter.Escape(title)}\">");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left}\" y=\"16\" style=\"font-weight:600\">{HtmlWriter.Escape(title)}</text>");
        for (var i = 0; i <= 4; i++)
        {
            var value = low + ((high - low) * i / 4);
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(value)}\" y2=\"{Y(value)}\" stroke=\"var(--line)\"/>");
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 6}\" y=\"{Y(value)}\" dy=\"4\" text-anchor=\"end\">{HtmlWriter.Number(value, format)}</text>");
        }

        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left}\" y=\"{Height - 8}\">step {first + 1:0}</text>");
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Width - Right}\" y=\"{Height - 8}\" text-anchor=\"end\">{last + 1:0}</text>");
        foreach (var point in points)
        {
            if (point.Interval is { } interval)
                svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{X(point.X)}\" x2=\"{X(point.X)}\" y1=\"{Y(interval.Low)}\" y2=\"{Y(interval.High)}\" stroke=\"var(--blue)\" stroke-opacity=\".35\" stroke-width=\"5\"/>");
        }

        var line = string.Join(' ', points.Select(point => $"{X(point.X)},{Y(point.Y)}"));
        svg.Append(CultureInfo.InvariantCulture, $"<polyline points=\"{line}\" fill=\"none\" stroke=\"var(--blue)\" stroke-width=\"2\" stroke-linejoin=\"round\"/>");
        if (points.Any(point => point.Interval is not null))
        {
            foreach (var point in points)
                svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{X(point.X)}\" cy=\"{Y(point.Y)}\" r=\"3.2\" fill=\"var(--blue)\"/>");
        }

        return svg.Append("</svg></div>").ToString();
    }

    private static (double Low, double High) Range(IReadOnlyList<ChartPoint> points)
    {
        var low = points.Min(point => Math.Min(point.Y, point.Interval?.Low ?? point.Y));
        var high = points.Max(point => Math.Max(point.Y, point.Interval?.High ?? point.Y));
        var margin = Math.Max((high - low) * 0.08, 1e-3);
        return (low - margin, high + margin);
    }

    private static string Coordinate(double value) => value.ToString("0.0", CultureInfo.InvariantCulture);
}
