using System.Text;
using Hone;
using Hone.Testing;

namespace Docs.Tests.Snippets.Adapters;

#region adapters-own
public sealed class LinesAdapter : PromptAdapter
{
    public override string Name => nameof(LinesAdapter);

    // Cut the answer into one text per output; ReadOutputs turns the texts into typed values or says what is wrong.
    public override FieldMap Parse(Signature signature, string completion)
    {
        var texts = new Dictionary<string, string>();
        foreach (var line in completion.Split('\n'))
        {
            if (line.Split(": ", 2) is [var name, var value])
                texts[name.Trim()] = value.Trim();
        }

        return ReadOutputs(signature, completion, texts);
    }

    // What a model that follows the format would write: demos and earlier turns are shown like this.
    public override string RenderOutputs(Signature signature, FieldMap outputs) =>
        string.Join('\n', signature.Outputs.Select(field => $"{field.Name}: {Escape(FormatOutput(field, outputs))}"));

    protected override void WriteStructure(StringBuilder text, Signature signature)
    {
        text.Append("Answer with one line for each output, as in:\n");
        foreach (var field in signature.Outputs)
            text.Append($"{field.Name}: {HintFor(field) ?? "text"}\n");
    }

    protected override string Reminder(Signature signature) =>
        $"Answer with the lines {string.Join(", ", signature.Outputs.Select(field => $"`{field.Name}:`"))}.";

    protected override string OpeningOf(string field) => $"{field}: ";

    protected override string ClosingOf(string field) => "\n";

    // A value stays on its line, so it cannot pass for another field.
    protected override string Escape(string value) => value.ReplaceLineEndings(" ");
}
#endregion

public sealed class OwnAdapterTests
{
    [Fact]
    public async Task OwnAdapter_RendersReadsAndRecovers()
    {
        var client = ScriptedChatClient.InSequence("forty-two", "thought: six sevens\nanswer: 42");
        var program = Predict.Parse("question -> thought, answer: int").WithModel(client).WithAdapter(new LinesAdapter());
        var run = await program.RunAsync(FieldMap.Of(("question", "What is six times seven?")), null, TestContext.Current.CancellationToken);
        Assert.Equal(42L, run.Value["answer"]);
        Assert.Equal(1, run.RecoveryCount);
        Assert.Contains("answer: must be a single integer", client.Requests[0].SystemText, StringComparison.Ordinal);
    }
}
