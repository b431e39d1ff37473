using System.Runtime.CompilerServices;
using System.Text;
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

#region streaming-method
public sealed partial class Letter(TextWriter screen) : Module<string, string>
{
    [Predict("Write a letter.")]
    private partial IAsyncEnumerable<string> WriteAsync(string occasion, CancellationToken cancellationToken);

    protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken)
    {
        var letter = new StringBuilder();
        await foreach (var piece in WriteAsync(input, cancellationToken))
        {
            await screen.WriteAsync(piece);
            letter.Append(piece);
        }

        return letter.ToString();
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

    [Fact]
    public async Task PredictorMethod_GivesItsTextPieceByPiece()
    {
        var client = Answers.Always(("answer", "Dear Bee, …")).StreamingInPiecesOf(4);
        using var screen = new StringWriter();
        Assert.Equal("Dear Bee, …", await new Letter(screen).WithModel(client).CallAsync("birthday", Token));
        Assert.Equal("Dear Bee, …", screen.ToString());
    }

    [Fact]
    public async Task Predictor_TellsAllItsFields()
    {
        var client = Answers.Always(("title", "Bees"), ("body", "They are busy.")).StreamingInPiecesOf(4);
        using var scope = HoneScope.Use(client);
        #region streaming-fields
        var predict = new Predict<string, Page>("Write a page.");
        await foreach (var happened in predict.StreamAsync("bees"))
        {
            if (happened is FieldDelta { Field: "title" } delta)
                Console.Write(delta.Text);
            else if (happened is RunCompleted<Page> completed)
                Console.WriteLine($" ({completed.Prediction.Value.Body.Length} characters)");
        }
        #endregion
        Assert.Equal("Bees", Assert.Single(scope.Trace.Calls).Outputs!["title"]);
    }

    public sealed record Page(string Title, string Body);
}

internal static class StreamingSketches
{
    public static void Map(WebApplication app)
    {
        #region streaming-events
        app.MapGet("/report", (string topic, Program<string, string> program, CancellationToken cancellationToken) =>
            TypedResults.ServerSentEvents(program.StreamAsync(topic, cancellationToken: cancellationToken).ToServerSentEventsAsync(cancellationToken: cancellationToken)));
        #endregion
    }
}
