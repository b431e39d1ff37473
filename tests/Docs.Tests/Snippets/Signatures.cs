using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Docs.Tests.Checks;
using Hone;
using Microsoft.Extensions.AI;

namespace Docs.Tests.Snippets.Signatures;

#region signatures-records
public enum Urgency { Low, Normal, High }

public sealed record Ticket(string Text, [Description("most recent first")] IReadOnlyList<string> EarlierTickets);

public sealed record Triage(Urgency Urgency, [Range(1, 5)] int Effort, string? DuplicateOf);
#endregion

public sealed record Step(string Action, TimeSpan? Within);

#region signatures-of-type
[Description("Answer from the context.")]
public sealed record AnswerFromContext
{
    [Input]
    public required string Question { get; init; }

    [Input]
    public required IReadOnlyList<string> Context { get; init; }

    [Output(Description = "one sentence")]
    public required string Answer { get; init; }
}
#endregion

#region signatures-photo
public sealed record Photo(Image Picture, string Question);
#endregion

#region signatures-solution
public sealed record Exercise(string Task);

public sealed record Solution(Reasoning Thoughts, [CodeLanguage("csharp")] Code Source);
#endregion

#region signatures-quotes
public sealed record Sourced(IReadOnlyList<Document> Documents, string Question);

public sealed record Quoted(string Answer, Citations Quotes);
#endregion

#region signatures-tool-records
public sealed record Turn(string Question, IReadOnlyList<AITool> Tools);

public sealed record Choice(ToolCalls Calls);
#endregion

#region signatures-history-record
public sealed record Chat(History History, string Question);
#endregion

#region signatures-money
[PromptType<MoneyPromptType>]
public sealed record Money(decimal Amount, string Currency);

public sealed class MoneyPromptType : PromptType<Money>
{
    public override string? Description => "Money is written as an amount and a currency code, such as 12.50 EUR.";

    public override string ToText(Money value) => string.Create(CultureInfo.InvariantCulture, $"{value.Amount} {value.Currency}");

    public override Money FromText(string text) => text.Split(' ') is [var amount, var currency]
        ? new(decimal.Parse(amount, CultureInfo.InvariantCulture), currency)
        : throw new FormatException("Write an amount, a blank and a currency code.");
}
#endregion

public sealed class SignatureTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Records_AreASignature()
    {
        IChatClient chatClient = Answers.Always(("urgency", "High"), ("effort", 2), ("duplicate_of", "null"));
        #region signatures-first
        var triage = new Predict<Ticket, Triage>("Triage the support ticket.").WithModel(chatClient);
        Triage result = await triage.CallAsync(new("The server is down!", []));
        #endregion
        Assert.Equal(new Triage(Urgency.High, 2, null), result);
        Assert.Equal("text, earlier_tickets -> urgency, effort, duplicate_of", triage.Predictors[0].Value.Shape);
        Assert.Equal("most recent first", triage.Predictors[0].Value.Find("earlier_tickets")!.Description);
        Assert.Equal(["ge", "le"], triage.Predictors[0].Value.Find("effort")!.Constraints.Select(bound => bound.Kind));
    }

    [Fact]
    public async Task Text_IsASignature()
    {
        IChatClient chatClient = Answers.Always(("names", "[\"Ann\", \"Bo\"]"), ("sentiment", "mixed"));
        #region signatures-string
        var extract = Predict.Parse("text -> names: list[str], sentiment: Literal['good', 'bad', 'mixed']").WithModel(chatClient);
        FieldMap found = await extract.CallAsync(FieldMap.Of(("text", "Ann liked it, Bo did not.")));
        var sentiment = (string)found["sentiment"]!;
        #endregion
        Assert.Equal("mixed", sentiment);
    }

    [Fact]
    public void Text_KnowsTheTypesThatItIsGiven()
    {
        #region signatures-named-types
        var plan = Signature.Parse("request -> urgency: Urgency, steps: list[Step]", "Plan the request.", typeof(Urgency), typeof(Step));
        #endregion
        Assert.Equal(FieldTypeKind.Enum, plan.Find("urgency")!.Type.Kind);
        Assert.Throws<SignatureFormatException>(() => Signature.Parse("request -> urgency: Urgency"));
    }

    [Fact]
    public void OneType_IsASignature_AndCanBeEdited()
    {
        #region signatures-of
        Signature signature = Signature.Of<AnswerFromContext>();
        var answer = new Predict(signature);                        // field maps in, field maps out
        #endregion
        Assert.Equal("Answer from the context.", answer.Signature.Instructions);
        #region signatures-edits
        Signature edited = signature
            .WithInstructions("Answer in one word.")
            .Delete("context")
            .Prepend(new SignatureField("language", FieldType.String, FieldDirection.Input))
            .WithUpdatedField("answer", field => field with { Description = "a place" });
        #endregion
        Assert.Equal("language, question -> answer", edited.Shape);
        Assert.Equal("question, context -> answer", signature.Shape);
    }

    [Fact]
    public async Task Bounds_AreTold_AndKept()
    {
        #region signatures-bounds
        var grade = Signature.Parse("essay -> score: int, remarks: list[str]")
            .WithUpdatedField("score", field => field with { Constraints = [new("ge", 0L), new("le", 10L)] })
            .WithUpdatedField("remarks", field => field with { Constraints = [new("max_length", 3L)] });
        #endregion
        var program = new Predict(grade).WithModel(Answers.Always(("score", 11), ("remarks", "[]"))).WithRecovery(RecoveryPolicy.None);
        var error = await Assert.ThrowsAsync<AdapterParseException>(() => program.CallAsync(FieldMap.Of(("essay", "…")), Token));
        Assert.Equal(ParseFailureKind.Constraint, error.Kind);
        Assert.Contains("Constraints: greater than or equal to: 0, less than or equal to: 10", program.Render("self", FieldMap.Of(("essay", "…")))[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ReasoningAndCode_AreText()
    {
        IChatClient chatClient = Answers.Always(("thoughts", "Sort first."), ("source", "```csharp\nlist.Sort();\n```"));
        #region signatures-code
        var solve = new Predict<Exercise, Solution>().WithModel(chatClient);
        Solution solution = await solve.CallAsync(new("Sort the list."));
        string source = solution.Source;                            // without the fence that the model writes around it
        #endregion
        Assert.Equal("list.Sort();", source);
        Assert.Equal("Sort first.", solution.Thoughts);
    }

    [Fact]
    public async Task Citations_AreRead()
    {
        var chatClient = Answers.Always(("answer", "In 1793."), ("quotes", "[{\"cited_text\": \"opened in 1793\", \"document_index\": 0}]"));
        var quote = new Predict<Sourced, Quoted>().WithModel(chatClient);
        var quoted = await quote.CallAsync(new([Document.FromText("The Louvre opened in 1793.", title: "Louvre")], "When did the Louvre open?"), Token);
        Assert.Equal("opened in 1793", quoted.Quotes.Items[0].CitedText);
    }

    [Fact]
    public async Task Tools_AreChosenByTheModel_AndRunByTheProgram()
    {
        IChatClient chatClient = Answers.Always(("calls", """{"tool_calls": [{"name": "weather", "args": {"city": "Rome"}}]}"""));
        #region signatures-tools
        var weather = AIFunctionFactory.Create((string city) => $"18 degrees in {city}", "weather", "The weather of a city now.");
        var choose = new Predict<Turn, Choice>("Decide what to look up.").WithModel(chatClient);
        Choice choice = await choose.CallAsync(new("Is it warm in Rome?", [weather]));
        foreach (var call in choice.Calls.Calls)
        {
            object? result = await weather.InvokeAsync(new(call.Arguments.ToDictionary()));
            Console.WriteLine($"{call.Name}: {result}");            // weather: 18 degrees in Rome
        }
        #endregion
        Assert.Equal("weather", Assert.Single(choice.Calls.Calls).Name);
        Assert.Equal("18 degrees in Rome", $"{await weather.InvokeAsync(new(choice.Calls.Calls[0].Arguments.ToDictionary()), Token)}");
    }

    [Fact]
    public async Task History_IsRenderedAsMessages()
    {
        var client = Answers.Always(("answer", "Goethe."));
        IChatClient chatClient = client;
        #region signatures-history
        var chat = new Predict<Chat, string>("Answer briefly.").WithModel(chatClient);
        var history = History.Empty;
        foreach (var question in new[] { "Who wrote Faust?", "When was he born?" })
        {
            var answer = await chat.CallAsync(new(history, question));
            history = history.Add(FieldMap.Of(("question", question), ("answer", answer)));
        }
        #endregion
        Assert.Equal(
            [ChatRole.System, ChatRole.User, ChatRole.Assistant, ChatRole.User], client.Requests[1].Messages.Select(message => message.Role));
        Assert.Equal(2, history.Turns.Length);
    }

    [Fact]
    public void ChainOfThought_KeepsADeclaredReasoning()
    {
        var declared = Signature.Parse("question -> answer, reasoning: Reasoning");
        var thinking = new ChainOfThought(declared).Signature;
        Assert.Equal("question -> reasoning, answer", thinking.Shape);
        Assert.Equal(declared.Find("reasoning"), thinking.Find("reasoning"));
        Assert.Same(thinking, new ChainOfThought(thinking).Signature);
        Assert.Equal("question -> reasoning, answer", ChainOfThought.Parse("question -> answer").Signature.Shape);
    }

    [Fact]
    public async Task OwnType_IsShownAndReadBack()
    {
        var client = Answers.Always(("answer", "12.50 EUR"));
        var price = await new Predict<string, Money>("Find the price.").WithModel(client).CallAsync("The book costs twelve fifty.", Token);
        Assert.Equal(new Money(12.50m, "EUR"), price);
        Assert.Contains("Money is written as", client.Requests[0].SystemText, StringComparison.Ordinal);
    }
}

internal static class SignatureSketches
{
    public static async Task<string> LookAsync(LM model, HttpClient http)
    {
        #region signatures-media
        var describe = new Predict<Photo, string>("Answer the question about the picture.").WithModel(model);
        var linked = Image.FromUri(new Uri("https://example.com/cat.png"));          // the provider fetches it
        var read = await Image.FromFileAsync("cat.png");                             // Hone reads the file
        var fetched = await Image.DownloadAsync(                                     // Hone fetches it, within limits
            http, new Uri("https://example.com/cat.png"), new() { MaximumBytes = 1_000_000, Allow = address => address.Host == "example.com" });
        string answer = await describe.CallAsync(new(read, "What colour is the cat?"));
        #endregion
        return $"{answer} {linked} {fetched}";
    }
}
