using System.Text.Json;
using Hone.Mcp.TestServer;
using Hone.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace Hone.Mcp.Tests;

/// <summary>Both directions, with a server in a process of its own over its standard streams, and with one over HTTP on the loopback.</summary>
public sealed class McpProgramTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string> Transports => ["stdio", "http"];

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Server_OffersTheProgram_WithItsInputsAndOutputs(string transport)
    {
        await using var server = await Connection.OpenAsync(transport, Token);
        var tool = (await server.Client.ListToolsAsync(cancellationToken: Token)).Single(each => each.Name == "answer");

        Assert.Equal("Answer briefly.", tool.Description);
        var properties = tool.JsonSchema.GetProperty("properties");
        Assert.Equal("What to find out", properties.GetProperty("question").GetProperty("description").GetString());
        Assert.Equal("integer", properties.GetProperty("limit").GetProperty("type").GetString());
        Assert.Equal(["question"], tool.JsonSchema.GetProperty("required").EnumerateArray().Select(name => name.GetString()!));
        Assert.Equal("integer", tool.ReturnJsonSchema!.Value.GetProperty("properties").GetProperty("words").GetProperty("type").GetString());

        var result = await server.Client.CallToolAsync("answer", new Dictionary<string, object?> { ["question"] = "Where?" }, cancellationToken: Token);
        Assert.Equal("in Paris", result.StructuredContent!.Value.GetProperty("answer").GetString());
        Assert.Equal(2, result.StructuredContent!.Value.GetProperty("words").GetInt32());
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Server_TellsWhatIsWrong(string transport)
    {
        await using var server = await Connection.OpenAsync(transport, Token);
        var missing = await server.Client.CallToolAsync("answer", new Dictionary<string, object?>(), cancellationToken: Token);
        var unreadable = await server.Client.CallToolAsync("answer", new Dictionary<string, object?> { ["question"] = "unanswerable" }, cancellationToken: Token);

        Assert.True(missing.IsError);
        Assert.Contains("needs the argument 'question'", TextOf(missing), StringComparison.Ordinal);
        Assert.True(unreadable.IsError);
        Assert.Contains("could not read the answer", TextOf(unreadable), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", TextOf(unreadable), StringComparison.Ordinal);
    }

    /// <summary>Tools of a server are tools of an agent as they are: results, structured results, pictures and errors.</summary>
    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Agent_UsesTheToolsOfAServer(string transport)
    {
        await using var server = await Connection.OpenAsync(transport, Token);
        var client = ScriptedChatClient.InSequence(
            Turn(("add", FieldMap.Of(("a", "40"))), ("structured", FieldMap.Empty), ("picture", FieldMap.Empty), ("fail", FieldMap.Of(("x", "luck"))), ("add", FieldMap.Empty)),
            Turn(("answer", FieldMap.Of(("question", "Where?")))),
            Turn(("submit", FieldMap.Of(("answer", "done")))));
        using var scope = HoneScope.Use(client);
        var agent = ReAct.Parse("question -> answer", await server.Client.ListToolsAsync(cancellationToken: Token));
        var result = await agent.RunAsync(FieldMap.Of(("question", "q")), cancellationToken: Token);

        Assert.True(result.HasOutput);
        var given = result.Steps[0].Results.Results;
        Assert.Equal("42", given[0].Value);
        Assert.Equal(FieldMap.Of(("answer", "both"), ("words", 1L)), given[1].Value);
        Assert.Equal("[image/png, 3 bytes]", given[2].Value);
        Assert.Equal([false, false, false, true, true], given.Select(each => each.IsError));
        Assert.Contains("no luck here", (string)given[3].Value!, StringComparison.Ordinal);
        Assert.Equal("The tool 'add' needs the argument 'a'. Its arguments are: a, b (optional).", given[4].Value);
        Assert.Equal(FieldMap.Of(("answer", "in Paris"), ("words", 2L)), result.Steps[1].Results.Results[0].Value);
    }

    [Fact]
    public async Task State_RewordsTheToolsOfAServer()
    {
        await using var server = await Connection.OpenAsync("http", Token);
        var client = ScriptedChatClient.InSequence(Turn(("plus", FieldMap.Of(("a", 1)))), Turn(("submit", FieldMap.Of(("answer", "3")))));
        var program = ReAct.Parse("question -> answer", await server.Client.ListToolsAsync(cancellationToken: Token)).WithModel(client);
        var tuned = program.With(program.State.WithTool("add", new() { Name = "plus", Description = "Sums." }));
        await tuned.CallAsync(FieldMap.Of(("question", "q")), Token);

        Assert.Contains("\"name\": \"plus\", \"description\": \"Sums.\"", client.Requests[0].LastText, StringComparison.Ordinal);
        Assert.Contains("\"value\": \"3\"", string.Concat(client.Requests[1].Messages.Select(message => message.Text)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithProgram_RegisteredProgram_IsOffered()
    {
        var services = new ServiceCollection();
        services.AddSingleton<IChatClient>(ScriptedChatClient.By((_, _) => "[[ ## answer ## ]]\nyes\n\n[[ ## completed ## ]]"));
        services.AddProgram<Yes, string, string>();
        services.AddMcpServer().WithProgram<string, string>("yes", "Says yes.");
        await using var provider = services.BuildServiceProvider();
        var tool = provider.GetRequiredService<ModelContextProtocol.Server.McpServerTool>();

        Assert.Equal(("yes", "Says yes."), (tool.ProtocolTool.Name, tool.ProtocolTool.Description));
    }

    private static string TextOf(CallToolResult result) => string.Concat(result.Content.OfType<TextContentBlock>().Select(block => block.Text));

    private static string Turn(params (string Name, FieldMap Arguments)[] calls) => ScriptedChatClient.ChatText(FieldMap.Of(
        ("next_thought", "t"),
        ("tool_calls", FieldMap.Of(("tool_calls", System.Collections.Immutable.ImmutableArray.CreateRange<object?>(
            calls.Select(call => FieldMap.Of(("name", call.Name), ("args", call.Arguments)))))))));

    private sealed class Yes : Module<string, string>
    {
        private readonly Predict<string, string> say = new();

        protected override Task<string> ForwardAsync(string input, CancellationToken cancellationToken) => say.CallAsync(input, cancellationToken);
    }

    /// <summary>A client and its server.</summary>
    private sealed class Connection(McpClient client, WebApplication? server) : IAsyncDisposable
    {
        public McpClient Client => client;

        public static async Task<Connection> OpenAsync(string transport, CancellationToken cancellationToken)
        {
            if (transport == "stdio")
            {
                var process = new StdioClientTransport(new()
                {
                    Command = "dotnet",
                    Arguments = [Path.Combine(AppContext.BaseDirectory, "Hone.Mcp.TestServer.dll")],
                });
                return new(await McpClient.CreateAsync(process, cancellationToken: cancellationToken), null);
            }

            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            builder.WebHost.UseUrls("http://127.0.0.1:0");
            builder.Services.AddMcpServer().WithHttpTransport().WithTestTools();
            var server = builder.Build();
            server.MapMcp("/mcp");
            await server.StartAsync(cancellationToken);
            var address = new HttpClientTransport(new() { Endpoint = new($"{server.Urls.First()}/mcp") });
            return new(await McpClient.CreateAsync(address, cancellationToken: cancellationToken), server);
        }

        public async ValueTask DisposeAsync()
        {
            await client.DisposeAsync();
            if (server is not null)
                await server.DisposeAsync();
        }
    }
}
