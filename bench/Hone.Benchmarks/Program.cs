using System.Globalization;
using System.Text.Json;
using Hone.Benchmarks;

// Usage: --quick (a minute, the figures of the regression check) or nothing (everything), --json FILE.
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var quick = args.Contains("--quick");
var json = Array.IndexOf(args, "--json") is var index and >= 0 && index + 1 < args.Length ? args[index + 1] : null;
var figures = new Figures();

GemmBench.Run(figures, quick);
DecodeBench.Run(figures, quick);
TrainBench.Run(figures, quick);
await StepBench.RunAsync(figures);
await CacheBench.RunAsync(figures);

if (json is not null)
    File.WriteAllText(json, JsonSerializer.Serialize(figures.Values, new JsonSerializerOptions { WriteIndented = true }) + "\n");
