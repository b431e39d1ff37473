using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Hone;

/// <summary>Spans and measurements, all under the name <c>Hone</c>.</summary>
internal static class HoneDiagnostics
{
    public const string Name = "Hone";

    public static readonly ActivitySource Source = new(Name);

    public static readonly Meter Meter = new(Name);
}
