using System.Net;
using Hone.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Hone.AspNetCore.Tests;

public sealed class HostingTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task HealthCheck_RemembersForAWhile_AndTellsFailures()
    {
        var time = new FakeTimeProvider();
        var isUp = true;
        var client = ScriptedChatClient.By((_, _) => isUp ? "[[ ## answer ## ]]\nyes" : throw new LMInvalidRequestException("Down."));
        await using var host = await WebHost.StartAsync(
            app => app.MapHealthChecks("/health"),
            builder =>
            {
                builder.Services.AddSingleton<TimeProvider>(time);
                builder.Services.AddSingleton(new Predict<string, string>().WithModel(client));
                builder.Services.AddHealthChecks().AddHoneProgram<string, string>("Are you there?", validity: TimeSpan.FromMinutes(1));
            });
        Assert.Equal(HttpStatusCode.OK, (await host.Client.GetAsync("/health", Token)).StatusCode);
        isUp = false;
        Assert.Equal(HttpStatusCode.OK, (await host.Client.GetAsync("/health", Token)).StatusCode);
        Assert.Single(client.Requests);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await host.Client.GetAsync("/health", Token)).StatusCode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WarmUp_RunsOnce_AndAFailureDoesNotKeepTheHostDown(bool isUp)
    {
        var client = ScriptedChatClient.By((_, _) => isUp ? "[[ ## answer ## ]]\nyes" : throw new LMInvalidRequestException("Down."));
        await using var host = await WebHost.StartAsync(
            _ => { },
            builder =>
            {
                builder.Services.AddSingleton(new Predict<string, string>().WithModel(client));
                builder.Services.AddHoneWarmUp<string, string>("Hello");
            });
        Assert.Contains("Hello", Assert.Single(client.Requests).LastText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MapHoneProgram_WithoutAProgram_TakesTheRegisteredOne()
    {
        await using var host = await WebHost.StartAsync(
            app => app.MapHoneProgram<string, string>("/ask"),
            builder => builder.Services.AddSingleton(new Predict<string, string>().WithModel(ScriptedChatClient.By((_, _) => "[[ ## answer ## ]]\nyes"))));
        using var response = await host.Client.PostAsync("/ask", new StringContent("""{"input": "x"}"""), Token);
        Assert.StartsWith("""{"value":"yes",""", await response.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
    }
}
