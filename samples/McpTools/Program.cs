using System.CommandLine;
using Hone;
using McpTools;
using ModelContextProtocol.Client;
using SampleCommon;

var serve = new Option<bool>("--serve") { Description = "Is the server: speaks MCP on standard input and output. The sample starts itself so." };
var dish = new Option<string>("--with") { Description = "What the dish is to be cooked with.", DefaultValueFactory = _ => "lentils" };
var guests = SampleApp.Number("--guests", "How many guests come.", 6);

var app = new SampleApp("An agent with the tools of an MCP server, one of which is a program of Hone.", ScriptedModel.Create, serve, dish, guests);
return await app.RunAsync(args, async run =>
{
    if (run.Arguments.GetValue(serve))
    {
        await Kitchen.ServeAsync(run.Model, run.CancellationToken);
        return;
    }

    // The server is this sample again, in a process of its own and with the same model.
    await using var server = await McpClient.CreateAsync(
        new StdioClientTransport(new() { Command = "dotnet", Arguments = [typeof(Kitchen).Assembly.Location, "--serve", .. args] }), cancellationToken: run.CancellationToken);
    var tools = await server.ListToolsAsync(cancellationToken: run.CancellationToken);
    Console.WriteLine($"The server '{server.ServerInfo?.Name}' offers:");
    foreach (var tool in tools.OrderBy(tool => tool.Name, StringComparer.Ordinal))
        Console.WriteLine($"  {tool.Name}({string.Join(", ", tool.JsonSchema.GetProperty("properties").EnumerateObject().Select(property => property.Name))}): {tool.Description}");

    using var scope = HoneScope.Use(run.Model);
    var agent = new ReAct<Dinner, Plan>("Choose a dish for the dinner, and say what to buy.", tools);
    var result = await agent.RunAsync(new(run.Arguments.GetValue(dish)!, run.Arguments.GetValue(guests)), maxSteps: 8, cancellationToken: run.CancellationToken);
    Console.WriteLine($"\n{string.Join('\n', Transcript.Lines(result.Steps))}\n");
    Console.WriteLine(result.HasOutput ? $"{result.Output.Dish}: {string.Join(", ", result.Output.ToBuy.Select(item => FormattableString.Invariant($"{item.Amount} {item.Unit} {item.Name}")))}" : $"No plan: {result.Reason}");
});
