using System.Globalization;
using System.Text.Json;
using Hone.Benchmarks;

// Usage: --quick (a minute or two, the figures of the regression check) or nothing (everything), --only calls|evaluation|agents|optimizers|retrieval (or one half of it: bm25|vectors)|engine|train|overlap|eager|scale|gpu|roofline|together (the last five with --models 1m,5m,15m,120m,500m; eager and together with --cores N)|checkpoint (with --directory DIR)|soak (with --minutes N), --json FILE.
if (args is [StartBench.Argument])
    return await StartBench.PredictOnceAsync();
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var quick = args.Contains("--quick");
var json = ValueOf("--json");
var only = ValueOf("--only");
var figures = new Figures();

if (only is null or "calls")
{
    StartBench.Run(figures, quick);

    // Before the scripted models, which answer at once: code would be compiled for calls that never wait.
    await EvaluateBench.RunAsync(figures, quick);
    await CallBench.RunAsync(figures, quick);
    await CacheBench.RunAsync(figures);
}

if (only is null or "calls" or "evaluation")
    await EvaluatorBench.RunAsync(figures, quick);

if (only is null or "calls" or "agents")
    await AgentBench.RunAsync(figures, quick);

if (only is null or "optimizers")
    await OptimizerBench.RunAsync(figures);

if (only is "retrieval" or "bm25" || (only is null && !quick))
    RetrievalBench.Lucene(figures, quick);
if (only is "retrieval" or "vectors" || (only is null && !quick))
    await RetrievalBench.VectorsAsync(figures, quick);

if (only is null or "engine")
{
    GemmBench.Run(figures, quick);
    DecodeBench.Run(figures, quick);
}

if (only is null or "engine" or "train")
    TrainBench.Run(figures, quick);
if (only is null or "engine")
    await StepBench.RunAsync(figures);

if (only == "gpu")
    await GpuBench.RunAsync(figures, ValueOf("--models"));

if (only == "checkpoint")
    await CheckpointBench.RunAsync(figures, ValueOf("--directory"));
if (only == "soak")
    return await SoakBench.RunAsync(figures, double.Parse(ValueOf("--minutes") ?? "30", CultureInfo.InvariantCulture));
if (only == "roofline")
    RooflineBench.Run(figures, ValueOf("--models"));
if (only == "together")
    TogetherBench.Run(figures, ValueOf("--models"), int.Parse(ValueOf("--cores") ?? $"{Environment.ProcessorCount}", CultureInfo.InvariantCulture));
if (only == "overlap")
    await StepBench.OverlapAsync(figures);
if (only == "eager")
    EagerBench.Run(figures, ValueOf("--models"), int.Parse(ValueOf("--cores") ?? "1", CultureInfo.InvariantCulture));
if (only == "scale")
    ScaleBench.Run(figures, ValueOf("--models"));

if (json is not null)
    File.WriteAllText(json, JsonSerializer.Serialize(figures.Values, new JsonSerializerOptions { WriteIndented = true }) + "\n");
return 0;

string? ValueOf(string name) => Array.IndexOf(args, name) is var index and >= 0 && index + 1 < args.Length ? args[index + 1] : null;
