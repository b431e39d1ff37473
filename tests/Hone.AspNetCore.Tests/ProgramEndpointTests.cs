using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Hone.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.AI;

namespace Hone.AspNetCore.Tests;

public sealed record Ticket(string Text, int Priority = 3);

public sealed record Triage(string Team, bool IsUrgent);

public sealed class ProgramEndpointTests
{
    private const string Answer = "[[ ## team ## ]]\nnetwork\n\n[[ ## is_urgent ## ]]\ntrue\n\n[[ ## completed ## ]]";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Post_Inputs_AnswersWithValueAndUsage()
    {
        var client = ScriptedChatClient.By((_, _) => Answer);
        await using var host = await StartAsync(client);
        using var response = await host.Client.PostAsJsonAsync("/triage", new { text = "The switch is down", priority = "1" }, Token);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(Token);
        Assert.Equal("""{"team":"network","is_urgent":true}""", answer.GetProperty("value").GetRawText());
        Assert.Equal(1, answer.GetProperty("usage").GetProperty("calls").GetInt32());
        Assert.Contains("The switch is down", client.Requests[0].LastText, StringComparison.Ordinal);
        Assert.Equal("1", client.Requests[0].Input("priority"));
    }

    [Fact]
    public async Task Get_DescribesInputsAndOutputs()
    {
        await using var host = await StartAsync(ScriptedChatClient.InSequence());
        var schemas = await host.Client.GetFromJsonAsync<JsonElement>("/triage", Token);
        Assert.Equal("string", schemas.GetProperty("input").GetProperty("properties").GetProperty("text").GetProperty("type").GetString());
        Assert.Equal(["text"], schemas.GetProperty("input").GetProperty("required").EnumerateArray().Select(each => each.GetString()));
        Assert.True(schemas.GetProperty("output").GetProperty("properties").TryGetProperty("is_urgent", out _));
    }

    [Theory]
    [InlineData("{", "")]
    [InlineData("[1]", "JSON object")]
    [InlineData("{\"priority\": 1}", "The program needs the input 'text'. Its inputs are: text, priority.")]
    [InlineData("{\"text\": \"x\", \"priority\": \"high\"}", "The input 'priority' of the program does not fit")]
    public async Task Post_InputsThatDoNotFit_IsABadRequest(string body, string expected)
    {
        await using var host = await StartAsync(ScriptedChatClient.InSequence());
        using var response = await host.Client.PostAsync("/triage", new StringContent(body), Token);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.Contains(expected, (await response.Content.ReadFromJsonAsync<JsonElement>(Token)).GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    public static TheoryData<string, HttpStatusCode> Failures => new()
    {
        { "limit", HttpStatusCode.ServiceUnavailable },
        { "overloaded", HttpStatusCode.ServiceUnavailable },
        { "refused", HttpStatusCode.BadGateway },
        { "unreadable", HttpStatusCode.BadGateway },
        { "budget", HttpStatusCode.TooManyRequests },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task Post_TheModelFails_TellsWhatToDoWithIt(string failure, HttpStatusCode expected)
    {
        var client = ScriptedChatClient.By((_, _) => failure switch
        {
            "limit" => throw new LMRateLimitException("Slow down.") { RetryAfter = TimeSpan.FromSeconds(2.5) },
            "overloaded" => throw new LMServerException("Too busy.") { RetryAfter = TimeSpan.FromSeconds(2.5) },
            "refused" => throw new LMInvalidRequestException("No."),
            _ => "nothing to read",
        });
        var model = new LM(client) { Retry = null, Budget = failure == "budget" ? new CallBudget(new() { MaxCalls = 0 }) : null };
        await using var host = await WebHost.StartAsync(app => app.MapHoneProgram("/triage", new Predict<Ticket, Triage>().WithModel(model).WithRecovery(RecoveryPolicy.None)));
        using var response = await host.Client.PostAsJsonAsync("/triage", new { text = "x" }, Token);
        Assert.Equal(expected, response.StatusCode);
        Assert.Equal(failure is "limit" or "overloaded" ? TimeSpan.FromSeconds(3) : null, response.Headers.RetryAfter?.Delta);
    }

    [Fact]
    public async Task Post_AcceptsEvents_StreamsPiecesAndResets()
    {
        // The first answer breaks off in the second field, and is asked for again.
        var client = ScriptedChatClient.InSequence("[[ ## team ## ]]\nsales\n\n[[ ## is_urgent ## ]]\nperhaps\n\n[[ ## completed ## ]]", Answer).StreamingInPiecesOf(5);
        await using var host = await StartAsync(client);
        var events = await EventsAsync(host, new { text = "x" });

        Assert.Equal("done", events[^1].EventType);
        var value = Json(events[^1]).GetProperty("value");
        Assert.Equal(("network", true), (value.GetProperty("team").GetString(), value.GetProperty("is_urgent").GetBoolean()));
        Assert.Contains(events, each => each.EventType == "reset" && Json(each).GetProperty("field").GetString() == "team");

        // A page that does as it is told ends with the field's text.
        var shown = string.Empty;
        foreach (var each in events.Where(each => each.EventType is "delta" or "reset" && Json(each).GetProperty("field").GetString() == "team"))
            shown = each.EventType == "reset" ? string.Empty : shown + Json(each).GetProperty("text").GetString();
        Assert.Equal("network", shown);
        Assert.All(events.Where(each => each.EventType == "delta"), each => Assert.Equal("self", Json(each).GetProperty("path").GetString()));
    }

    [Fact]
    public async Task Post_AcceptsEvents_AnErrorIsTheLastEvent()
    {
        var program = new Predict<Ticket, Triage>().WithModel(ScriptedChatClient.By((_, _) => "[[ ## team ## ]]\nsales")).WithRecovery(RecoveryPolicy.None);
        await using var host = await WebHost.StartAsync(app => app.MapHoneProgram("/triage", program));
        var events = await EventsAsync(host, new { text = "x" });
        Assert.Equal("error", events[^1].EventType);
        Assert.True(Json(events[^1]).TryGetProperty("code", out _));
    }

    [Fact]
    public async Task Post_TheClientGoesAway_StopsTheRun()
    {
        var (asked, stopped) = (new TaskCompletionSource(), new TaskCompletionSource());
        var client = ScriptedChatClient.ByAsync(async (_, _, token) =>
        {
            using var registration = token.Register(stopped.SetResult);
            asked.SetResult();
            await Task.Delay(Timeout.Infinite, token);
            return ScriptedChatClient.Respond(Answer);
        });
        await using var host = await StartAsync(client);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var request = host.Client.PostAsJsonAsync("/triage", new { text = "x" }, leaving.Token);
        await asked.Task.WaitAsync(Token);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await stopped.Task.WaitAsync(TimeSpan.FromSeconds(30), Token);
    }

    private static Task<WebHost> StartAsync(IChatClient client) =>
        WebHost.StartAsync(app => app.MapHoneProgram("/triage", new Predict<Ticket, Triage>().WithModel(client)));

    private static async Task<List<SseItem<string>>> EventsAsync(WebHost host, object input)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/triage") { Content = JsonContent.Create(input) };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        using var response = await host.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        await using var body = await response.Content.ReadAsStreamAsync(Token);
        return await SseParser.Create(body).EnumerateAsync(Token).ToListAsync(Token);
    }

    private static JsonElement Json(SseItem<string> item) => JsonElement.Parse(item.Data);
}
