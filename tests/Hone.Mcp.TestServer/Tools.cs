using System.ComponentModel;
using Hone.Testing;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using ModelContextProtocol;
using ModelContextProtocol.Server;

namespace Hone.Mcp.TestServer;

/// <summary>What is asked of the program.</summary>
/// <param name="Question">The question.</param>
/// <param name="Limit">Most words of the answer.</param>
public sealed record Ask([property: Description("What to find out")] string Question, int Limit = 10);

/// <summary>What the program answers.</summary>
/// <param name="Answer">The answer.</param>
/// <param name="Words">How many words it has.</param>
public sealed record Reply(string Answer, int Words);

/// <summary>The tools that both servers of the tests offer.</summary>
public static class Tools
{
    /// <summary>A program on a scripted model, and a few plain tools.</summary>
    public static IMcpServerBuilder WithTestTools(this IMcpServerBuilder server)
    {
        var model = ScriptedChatClient.By((request, _) => request.LastText.Contains("unanswerable", StringComparison.Ordinal)
            ? "I do not know."
            : ScriptedChatClient.ChatText(FieldMap.Of(("answer", "in Paris"), ("words", 2))));
        return server
            .WithProgram(new Predict<Ask, Reply>("Answer briefly.").WithModel(model).WithRecovery(RecoveryPolicy.None), "answer")
            .WithTools(
            [
                McpServerTool.Create(([Description("The first number")] int a, int b = 2) => a + b, new() { Name = "add", Description = "Adds two numbers." }),
                McpServerTool.Create(string (string x) => throw new McpException($"no {x} here"), new() { Name = "fail" }),
                McpServerTool.Create(() => new Reply("both", 1), new() { Name = "structured", UseStructuredContent = true }),
                McpServerTool.Create(() => new DataContent(new byte[] { 1, 2, 3 }, "image/png"), new() { Name = "picture" }),
            ]);
    }
}
