// The packages as a newcomer meets them: referenced from a feed, nothing of this repository beside them. Writes one line for each.
using Hone;
using Hone.Engine;
using Hone.Engine.Cuda;
using Hone.Evaluation;
using Hone.Optimizers;
using Hone.Retrieval;
using Hone.Sandbox;
using Hone.Testing;
using Hone.VectorData;
using Microsoft.AspNetCore.Builder;
using Packages;

var scripted = ScriptedChatClient.By((request, _) => ScriptedChatClient.ChatText(FieldMap.Of(("label", "billing"))));
var triage = new Triage().WithModel(scripted);
Console.WriteLine($"Hone, Hone.Testing: {await triage.CallAsync("I was charged twice.")} by {triage.Predictors.Single().Key}");

var sentence = await EngineLM.Embedded().AsChatClient().GetResponseAsync([new(Microsoft.Extensions.AI.ChatRole.User, "What is known?")], new() { MaxOutputTokens = 8 });
Console.WriteLine($"Hone.Engine: {(sentence.Usage!.OutputTokenCount is > 0 and <= 8 ? "some tokens" : "nothing")}");
_ = CudaDevice.IsAvailable;
Console.WriteLine("Hone.Engine.Cuda: asked for a GPU");

using var index = new LuceneRetriever();
index.Add([new("1", "The Louvre is in Paris."), new("2", "The Prado is in Madrid.")]);
Console.WriteLine($"Hone.Retrieval: {index.Search("Where is the Prado?", 1).Single().Text}");

await using var interpreter = new JavaScriptInterpreter();
await using var session = await interpreter.OpenAsync();
Console.WriteLine($"Hone.Sandbox: {(await session.ExecuteAsync("6 * 7")).Value}");

await using (var dashboard = await Dashboard.StartAsync())
{
    using var http = new HttpClient();
    Console.WriteLine($"Hone.Dashboard: {(await http.GetAsync(dashboard.Address)).StatusCode}");
}

await using var app = WebApplication.CreateSlimBuilder(args).Build();
app.MapHoneProgram("/triage", triage);
Console.WriteLine($"Hone.AspNetCore: {string.Join(", ", ((Microsoft.AspNetCore.Routing.IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints))}");
Console.WriteLine($"Hone.Mcp: {triage.AsMcpTool("triage").ProtocolTool.Name}");
Console.WriteLine($"Hone.Datasets.Parquet: {ParquetRows.Reader.GetType().Name}");
Console.WriteLine($"Hone.Evaluation: {string.Join(", ", Metric.From<string, string>((example, output) => example.Expected == output).ToEvaluator("exact").EvaluationMetricNames)}");
Console.WriteLine($"Hone.VectorData: {typeof(VectorDataRetriever<>).Name}");
