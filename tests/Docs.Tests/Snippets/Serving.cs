using System.Net.Http.Json;
using Docs.Tests.Checks;
using Docs.Tests.Snippets.Settings;
using Docs.Tests.Snippets.Signatures;
using Hone;
using Hone.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace Docs.Tests.Snippets.Serving;

public sealed class ServingTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Program_IsServed()
    {
        IChatClient chatClient = ScriptedChatClient.By((_, _) => Answers.Of(("urgency", "High"), ("effort", "2"), ("duplicate_of", "null")));
        var builder = Builder();
        #region serving-first
        builder.Services.AddSingleton<IChatClient>(chatClient);
        builder.Services.AddProgram<TriageModule, Ticket, Triage>();
        var app = builder.Build();
        app.MapHoneProgram<Ticket, Triage>("/triage");
        #endregion
        await using (app)
        {
            await app.StartAsync(Token);
            using var client = new HttpClient { BaseAddress = new(app.Urls.First()) };
            using var response = await client.PostAsJsonAsync("/triage", new { text = "The server is down!", earlier_tickets = Array.Empty<string>() }, Token);
            Assert.Contains("\"usage\":{\"calls\":1", await response.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Program_IsAChatModel_WithHealthAndWarmUp()
    {
        var program = new Predict<string, string>().WithModel(Answers.Always(("answer", "yes")));
        var counting = new Predict<int, string>().WithModel(Answers.Always(("answer", "two")));
        var builder = Builder();
        builder.Services.AddSingleton(program);
        #region serving-health
        builder.Services.AddHealthChecks().AddHoneProgram<string, string>("Are you there?", validity: TimeSpan.FromMinutes(10));
        builder.Services.AddHoneWarmUp<string, string>("Hello");
        #endregion
        await using var app = builder.Build();
        #region serving-chat
        app.MapHoneChat("/v1/chat/completions", "support", program);
        app.MapHoneChat("/v1/summary/chat/completions", "summary", messages => messages.Count, text => text, counting);
        #endregion
        await app.StartAsync(Token);
        using var client = new HttpClient { BaseAddress = new(app.Urls.First()) };
        foreach (var (route, answer) in new[] { ("/v1/chat/completions", "yes"), ("/v1/summary/chat/completions", "two") })
        {
            using var response = await client.PostAsJsonAsync(route, new { messages = new[] { new { role = "user", content = "hi" } } }, Token);
            Assert.Contains($"\"content\":\"{answer}\"", await response.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        }
    }

    private static WebApplicationBuilder Builder()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        return builder;
    }
}
