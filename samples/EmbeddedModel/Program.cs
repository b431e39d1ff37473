using EmbeddedModel;
string Arg(string name, string fallback) { var i = Array.IndexOf(args, "--" + name); return i < 0 ? fallback : args[i + 1]; }
var output = Arg("output", "/tmp/world-model");
var seed = int.Parse(Arg("seed", "1"));
Directory.CreateDirectory(output);
var signatures = ProgramSignatures.Read();
using var mix = new LessonMix(signatures, new SeedStream(seed).Derive("mix"));
var template = ChatTemplate.ForName("chatml");
var encoder = new LessonEncoder(ChatAdapter.Default, template);
var tokenizerPath = Path.Combine(output, "tokenizer.json");
if (!File.Exists(tokenizerPath))
{
    using var corpus = new LessonMix(signatures, new SeedStream(seed).Derive("corpus"));
    var texts = Enumerable.Range(0, 250).SelectMany(s => corpus.ForStep(s, 64, DemonstratorSkill.Uniform(.8))).Select(l => encoder.Render(l));
    File.WriteAllText(tokenizerPath, BpeTrainer.Train(texts.Select(t => t.Prompt + t.Completion), new BpeTrainerOptions { VocabularySize = 2048 }));
}
var tok = Tokenizer.Load(File.OpenRead(tokenizerPath));
var from = Arg("from", "");
var config = new ModelConfig { Family = ModelFamily.Qwen2, VocabularySize = 2048, HiddenSize = 128, LayerCount = 4, HeadCount = 4, KeyValueHeadCount = 2, HeadWidth = 32, FeedForwardSize = 384, TiedEmbeddings = true, MaxPositions = 1024, EndTokenIds = [tok.IdOf("<|im_end|>")!.Value] };
var weights = from == "" ? ParameterSet.CreateRandom(config, seed) : Checkpoint.Load(from).Weights;
Console.WriteLine($"{weights.Values.Length} parameters");
using var model = new TrainingModel(weights, laneCount: 4);
var trainer = new SupervisedTrainer(model, mix, l => encoder.Encode(l, tok), Console.Out);
async Task Evaluate()
{
    using var inference = InferenceModel.Create(weights);
    var world = Encyclopedia.Create(1); using var search = world.CreateRetriever();
    var n = int.Parse(Arg("claims", "100"));
    foreach (var t in new[] { 0f, 1f })
    {
        var client = new DirectChatClient(inference, tok, template, 2);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var s = await ProgramEvaluation.RunAsync(client, search, [.. world.Tasks[Region.Test].Take(n)], t, 1);
        Console.WriteLine($"T={t} {s} {watch.Elapsed.TotalSeconds:f1} s  {string.Join(", ", s.ByKind.Select(k => $"{k.Key} {k.Value:f2}"))}");
        foreach (var x in client.Log.Take(6)) Console.WriteLine("   " + x.Replace("\n", "\\n"));
    }
}
var tokens = (long)(double.Parse(Arg("tokens", "2")) * 1e6);
var lr = double.Parse(Arg("lr", "3e-3"));
if (tokens > 0)
    trainer.Run(new("main", tokens, lr, DemonstratorSkill.Uniform(double.Parse(Arg("quality", "0.8")))), 2, TimeSpan.FromMinutes(double.Parse(Arg("minutes", "60"))), () => { Checkpoint.Save(output, config, weights); });
Checkpoint.Save(output, config, weights);
await Evaluate();
