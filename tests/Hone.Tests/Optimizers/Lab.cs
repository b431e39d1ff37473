using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Hone.Optimizers;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Optimizers;

/// <summary>One request of a scripted model, taken apart.</summary>
internal sealed record LabCall(string Path, string Role, string Instructions, ImmutableArray<FieldMap> Demos, FieldMap Inputs, float? Temperature, long Sample)
{
    /// <summary>True when the instructions contain a word.</summary>
    public bool Has(string word) => Instructions.Contains(word, StringComparison.Ordinal);

    public string Question => Text("question");

    public string Text(string field) => (string)Inputs[field]!;

    public bool ShowsDemoOf(string question) => Demos.Any(demo => demo.TryGetValue("question", out var value) && (string?)value == question);
}

/// <summary>A question-answering world without a real model: questions qN, answers aN, and a model that is a pure function of the request.</summary>
internal sealed partial class Lab
{
    private readonly Lock gate = new();
    private readonly List<LabCall> calls = [];
    private readonly Func<LabCall, FieldMap> answer;
    private (long Input, long Output) tokens;

    /// <param name="answer">The outputs to give; what it throws, the model throws.</param>
    public Lab(Func<LabCall, FieldMap> answer)
    {
        this.answer = answer;
        Client = ScriptedChatClient.ByAsync(RespondAsync);
        Model = new LM(Client, "lab") { Retry = null };
    }

    public ScriptedChatClient Client { get; }

    public LM Model { get; }

    /// <summary>How long a token of a prompt is; with 1, budgets reserve about what is used.</summary>
    public int CharactersPerToken { get; init; } = 4;

    /// <summary>Tokens that the model has really taken and given, whatever anybody counted.</summary>
    public (long Input, long Output) Tokens
    {
        get
        {
            lock (gate)
                return tokens;
        }
    }

    public IReadOnlyList<LabCall> Calls
    {
        get
        {
            lock (gate)
                return [.. calls];
        }
    }

    /// <summary>1 when the answers are equal.</summary>
    public static Metric<FieldMap, FieldMap> Exact { get; } = Metric.From<FieldMap, FieldMap>((example, output) => Equals(example.Expected["answer"], output["answer"]));

    public static FieldMap Answer(string text) => FieldMap.Of(("answer", text));

    /// <summary>The right answer to a question, or a wrong one.</summary>
    public static FieldMap AnswerIf(bool isRight, string question) => Answer(isRight ? "a" + question[1..] : "wrong");

    public static Example<FieldMap, FieldMap> Example(string question) =>
        new(FieldMap.Of(("question", question)), Answer("a" + question[1..])) { Id = question };

    /// <summary>Examples q1 … qN.</summary>
    public static Example<FieldMap, FieldMap>[] Examples(int count, string prefix = "q") =>
        [.. Enumerable.Range(1, count).Select(i => Example($"{prefix}{i}"))];

    /// <summary>One predictor <c>ans</c>.</summary>
    public Program<FieldMap, FieldMap> One(string instructions = "base") => new OneStep(instructions).WithModel(Model);

    /// <summary>Two predictors: <c>hint</c>, then <c>ans</c>.</summary>
    public Program<FieldMap, FieldMap> Two(string instructions = "base") => new TwoSteps(instructions).WithModel(Model);

    /// <summary>
    /// Runs a scenario here with one unit at a time, then in worlds like this one with 4 and with 32: evidence and calls must be the same. The model must be a
    /// pure function of its requests.
    /// </summary>
    /// <param name="run">Runs the scenario in a world, with so many units at once.</param>
    public async Task<T> AtEveryParallelismAsync<T>(Func<Lab, int, Task<T>> run)
        where T : OptimizationResult<FieldMap, FieldMap>
    {
        var before = Calls.Count;
        var expected = await run(this, 1);
        var calls = Shown(Calls.Skip(before));
        foreach (var parallelism in new[] { 4, 32 })
        {
            var other = new Lab(answer);
            var result = await run(other, parallelism);
            Assert.Equal(Evidence(expected), Evidence(result));
            Assert.Equal(calls, Shown(other.Calls));
        }

        return expected;
    }

    /// <summary>Calls as text, in an order that does not depend on when they were made.</summary>
    public static string[] Shown(IEnumerable<LabCall> calls) => [.. calls.Select(call =>
        $"{call.Path}|{call.Role}|{call.Instructions}|{string.Join(';', call.Demos)}|{string.Join(';', call.Inputs)}|{call.Temperature}|{call.Sample}").Order(StringComparer.Ordinal)];

    /// <summary>Texts of the questions of a predictor's demos.</summary>
    public static string[] DemoQuestions(ProgramState state, string path, bool? isAugmented = null) =>
        [.. state[path].Demos.Where(demo => isAugmented is null || demo.IsAugmented == isAugmented).Select(demo => (string)demo.Fields["question"]!)];

    /// <summary>The parts of a result that must not depend on the degree of parallelism.</summary>
    public static string Evidence(OptimizationResult<FieldMap, FieldMap> result) => string.Join(
        '\n',
        [
            result.Program.SaveState(),
            $"{result.StopReason} {result.BestIndex} {result.BaselineScore} {result.BestScore} {result.ProgramRuns}",
            .. result.Candidates.Select(candidate => $"{candidate.Index} {candidate.Origin} {candidate.Score} [{string.Join(',', candidate.Parents)}] {candidate.ProgramRunsBy}"),
        ]);

    private async Task<ChatResponse> RespondAsync(ScriptedRequest request, int index, CancellationToken cancellationToken)
    {
        var call = Read(request);
        var input = 1 + (request.Messages.Sum(message => message.Text.Length) / CharactersPerToken);
        lock (gate)
        {
            calls.Add(call);
            tokens.Input += input;
        }

        // Answers come out of order, as they do from a server.
        for (var i = 0; i < (call.Inputs.GetHashCode() & 7); i++)
            await Task.Yield();
        var response = ScriptedChatClient.Respond(ScriptedChatClient.ChatText(answer(call)));
        response.Usage!.InputTokenCount = input;
        lock (gate)
            tokens.Output += response.Usage.OutputTokenCount!.Value;
        return response;
    }

    private static LabCall Read(ScriptedRequest request)
    {
        var options = request.Options as HoneChatOptions;
        var turns = request.Messages.Where(message => message.Role != ChatRole.System).ToArray();
        var demos = new List<FieldMap>();
        for (var i = 0; i + 2 < turns.Length; i += 2)
            demos.Add(FieldMap.Create(Fields(turns[i].Text).Concat(Fields(turns[i + 1].Text))));
        return new(
            options?.Path ?? "", options?.Role ?? "", request.SystemText, [.. demos], Fields(turns[^1].Text), request.Options?.Temperature, options?.SampleId ?? 0);
    }

    private static FieldMap Fields(string text) => FieldMap.Create(
        Field().Matches(text).Select(match => KeyValuePair.Create<string, object?>(match.Groups[1].Value, match.Groups[2].Value.Trim())));

    [GeneratedRegex(@"^\[\[ ## (\w+) ## \]\]\n(.*?)(?=\n\[\[ ## |\n\nRespond|\z)", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Field();

    private sealed class OneStep(string instructions) : Module<FieldMap, FieldMap>
    {
        private readonly Predict ans = Predict.Parse("question -> answer", instructions);

        protected override Task<FieldMap> ForwardAsync(FieldMap input, CancellationToken cancellationToken) => ans.CallAsync(input, cancellationToken);
    }

    private sealed class TwoSteps(string instructions) : Module<FieldMap, FieldMap>
    {
        private readonly Predict hint = Predict.Parse("question -> hint", instructions);
        private readonly Predict ans = Predict.Parse("question, hint -> answer", instructions);

        protected override async Task<FieldMap> ForwardAsync(FieldMap input, CancellationToken cancellationToken)
        {
            var found = await hint.CallAsync(input, cancellationToken);
            return await ans.CallAsync(input.With("hint", found["hint"]), cancellationToken);
        }
    }
}
