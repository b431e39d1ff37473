using Docs.Tests.Checks;
using Hone;
using Hone.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Client;

namespace Docs.Tests.Snippets.Mcp;

public sealed class McpTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Program_IsServed_AndUsed()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var chatClient = Answers.Always(("answer", "Paris"));
        #region mcp-serve
        var capital = new Predict<string, string>("Name the capital of the country.").WithModel(chatClient);
        builder.Services.AddMcpServer()
            .WithHttpTransport()                                             // or .WithStdioServerTransport()
            .WithProgram(capital, "capital");
        var app = builder.Build();
        app.MapMcp("/mcp");
        #endregion
        await app.StartAsync(Token);
        var model = ScriptedChatClient.By((_, index) => Answers.Of(
            ("next_thought", "…"),
            ("tool_calls", FieldMap.Of(("tool_calls", new[]
            {
                index == 0 ? FieldMap.Of(("name", "capital"), ("args", FieldMap.Of(("input", "France")))) : FieldMap.Of(("name", "submit"), ("args", FieldMap.Of(("answer", "Paris")))),
            })))));
        var address = new Uri($"{app.Urls.First()}/mcp");
        #region mcp-use
        await using var server = await McpClient.CreateAsync(new HttpClientTransport(new() { Endpoint = address }));
        var agent = ReAct.Parse("question -> answer", await server.ListToolsAsync()).WithModel(model);
        FieldMap outputs = await agent.CallAsync(FieldMap.Of(("question", "What is the capital of France?")));
        #endregion
        Assert.Equal("Paris", outputs["answer"]);
        await app.StopAsync(Token);
    }

    [Fact]
    public void Program_OfServices_IsServed()
    {
        var services = new ServiceCollection();
        services.AddSingleton<IChatClient>(Answers.Always(("answer", "Paris")));
        #region mcp-services
        services.AddProgram<Capitals, string, string>(program => program.StateFile = null);
        services.AddMcpServer().WithProgram<string, string>("capital", "Names the capital of a country.");
        #endregion
        using var provider = services.BuildServiceProvider();
        Assert.Equal("capital", provider.GetRequiredService<ModelContextProtocol.Server.McpServerTool>().ProtocolTool.Name);
    }

    private sealed class Capitals : Module<string, string>
    {
        private readonly Predict<string, string> name = new("Name the capital.");

        protected override Task<string> ForwardAsync(string input, CancellationToken cancellationToken) => name.CallAsync(input, cancellationToken);
    }
}
