using System.CommandLine;
using Classification;
using Hone;
using Hone.Optimizers;
using SampleCommon;

var data = new Option<FileInfo>("--data") { Description = "A CSV, TSV or JSON Lines file with text and category, e.g. of Banking77; a small one is built in.", DefaultValueFactory = _ => new(Path.Combine(AppContext.BaseDirectory, "messages.csv")) };
var rows = SampleApp.Number("--rows", "Most rows that are used, drawn by a seed.", 400, least: 2);

var app = new SampleApp("Classifies messages of a bank's customers, with and without examples of its own choice.", ScriptedModel.Create, data, rows);
return await app.RunAsync(args, async run =>
{
    var intents = await Intents.ReadAsync(run.Arguments.GetValue(data)!.FullName, run.Arguments.GetValue(rows), run.CancellationToken);
    var program = new Predict(intents.ToSignature()).WithModel(run.Model);
    Console.WriteLine($"{intents.Train.Count} messages to learn from, {intents.Test.Count} to score by");

    var knn = new KnnFewShot<FieldMap, FieldMap>(new WordEmbeddings(), options: new() { Nearest = 3, MaxBootstrappedDemos = 0 });
    var tuned = (await knn.CompileAsync(program, intents.Train, cancellationToken: run.CancellationToken)).Program;

    var evaluator = Evaluator.Create(CorpusMetrics.Banking77, new() { MaxErrors = 0 });
    var comparison = await evaluator.CompareAsync(program, tuned, intents.Test, run.CancellationToken);
    Console.WriteLine($"{comparison}\n{comparison.Gains.Count()} messages won, {comparison.Losses.Count()} lost");
    foreach (var (before, after) in comparison.Gains.Concat(comparison.Losses).Take(5))
        Console.WriteLine($"  {before.Example.Input["text"]}\n    {before.Value?["category"]} -> {after.Value?["category"]}");
});
