using System.Runtime.CompilerServices;
using Docs.Tests.Checks;
using Hone;
using Hone.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.AI;

namespace Docs.Tests.Snippets.Streaming;

#region streaming-status
public sealed partial class Report : Module<string, string>
{
    [Predict("Write an outline.")]
    private partial Task<string> WriteOutline(string topic, CancellationToken cancellationToken);

    [Predict("Write the report.")]
    private partial Task<string> WriteReport(string outline, CancellationToken cancellationToken);

    protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken)
    {
        await HoneScope.ReportStatusAsync("Outlining…", cancellationToken);
        var outline = await WriteOutline(input, cancellationToken);
        await HoneScope.ReportStatusAsync("Writing…", cancellationToken);
        return await WriteReport(outline, cancellationToken);
    }
}
#endregion

public sealed class StreamingTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pieces_JoinToTheAnswer()
    {
        IChatClient chatClient = Answers.Always(("reasoning", "It is known."), ("answer", "In Paris.")).StreamingInPiecesOf(4);
        var question = FieldMap.Of(("question", "Where is the Louvre?"));
        #region streaming-first
        var program = ChainOfThought.Parse("question -> answer").WithModel(chatClient);
        var text = string.Empty;
        await foreach (RunEvent happened in program.StreamAsync(question))
        {
            switch (happened)
            {
                case FieldDelta { Field: "answer" } delta:
                    text += delta.Text;
                    break;
                case FieldReset { Field: "answer" }:
                    text = string.Empty;                              // what was shown does not hold
                    break;
                case RunCompleted<FieldMap> completed:
                    Console.WriteLine($"{text} ({completed.Prediction.Usage.OutputTokens} tokens)");
                    break;
            }
        }
        #endregion
        Assert.Equal("In Paris.", text);
    }

    [Fact]
    public async Task Status_IsAnEvent()
    {
        var client = ScriptedChatClient.ForOutputs(FieldMap.Of(("report", "r")), FieldMap.Of(("outline", "o")));
        var events = new List<RunEvent>();
        await foreach (var happened in new Report().WithModel(client).StreamAsync("bees", null, Token))
            events.Add(happened);
        Assert.Equal(["Outlining…", "Writing…"], events.OfType<StatusMessage>().Select(status => status.Message));
        Assert.Equal(["write_outline", "write_report"], events.OfType<CallCompleted>().Select(call => call.Path));
        Assert.Equal("r", Assert.IsType<RunCompleted<string>>(events[^1]).Prediction.Value);
    }
}

internal static class StreamingSketches
{
    public static void Map(WebApplication app)
    {
        #region streaming-events
        app.MapGet("/report", (string topic, Program<string, string> program, CancellationToken cancellationToken) =>
            TypedResults.ServerSentEvents(PiecesOf(program, topic, cancellationToken), eventType: "piece"));

        static async IAsyncEnumerable<string> PiecesOf(
            Program<string, string> program, string topic, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await foreach (var happened in program.StreamAsync(topic, cancellationToken: cancellationToken))
            {
                if (happened is FieldDelta { Path: "write_report" } delta)
                    yield return delta.Text;
            }
        }
        #endregion
    }
}
