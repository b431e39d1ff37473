using System.Text;
using System.Text.RegularExpressions;
using Hone;
using Hone.Optimizers;
using Hone.Testing;

// Usage: index DIRECTORY (see IndexTarget), or OPTIMIZER DIRECTORY [CALLS], with the calls that the run may make in all. Runs it, or goes on with it, on a model that is a function of its prompt; each answer of the model is a line in
// DIRECTORY/paid.txt and one of the output; the chosen program and the candidates come last.
var (name, directory) = (args[0], args[1]);
Directory.CreateDirectory(directory);
if (name == "index")
{
    IndexTarget.Run(directory);
    return 0;
}

using var paid = new FileStream(Path.Combine(directory, "paid.txt"), FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
var gate = new Lock();
var model = new LM(ScriptedChatClient.ByAsync(async (request, _, cancellationToken) =>
{
    await Task.Delay(2, cancellationToken);
    var asked = string.Join('\n', request.Messages.Select(message => message.Text)) + request.Options?.Temperature + (request.Options as HoneChatOptions)?.SampleId;
    lock (gate)
    {
        paid.Write(Encoding.UTF8.GetBytes($"{Hash(asked):x16}\n"));
        paid.Flush();
        Console.Out.WriteLine("paid");
    }

    return ScriptedChatClient.Respond(Answer(request, Hash(asked)));
}), "scripted");

var program = (name.EndsWith("-two", StringComparison.Ordinal) ? (Module<FieldMap, FieldMap>)new TwoSteps() : Predict.Parse("question -> answer", "Answer.")).WithModel(model);
Example<FieldMap, FieldMap>[] train = Examples(12, "t"), validation = Examples(8, "v");
var result = await Optimizer().CompileAsync(program, train, validation);
Console.WriteLine(result.Program.SaveState());
Console.WriteLine(string.Join('\n', result.Candidates.Select(candidate => $"{candidate.Index} {candidate.Origin} {candidate.Score} {candidate.ProgramRunsBy}")));
return 0;

IOptimizer<FieldMap, FieldMap> Optimizer()
{
    var metric = Metric.From<FieldMap, FieldMap>((example, output) => new Score(Equals(example.Expected["answer"], output["answer"]) ? 1 : 0) { Feedback = $"wanted {example.Expected["answer"]}" });
    var run = Path.Combine(directory, "run");
    OptimizationBudget budget = new() { MaxCalls = args.Length > 2 ? long.Parse(args[2], System.Globalization.CultureInfo.InvariantCulture) : null };
    return name.Split('-')[0] switch
    {
        "simba" => new Simba<FieldMap, FieldMap>(metric, new() { RunDirectory = run, Resume = true, BatchSize = 6, Candidates = 3, MaxSteps = 4, MaxParallelism = 4, Budget = budget }),
        "mipro" => new MiproV2<FieldMap, FieldMap>(metric, new() { RunDirectory = run, Resume = true, MaxParallelism = 4, Budget = budget }),
        "gepa" => new Gepa<FieldMap, FieldMap>(metric, new() { RunDirectory = run, Resume = true, MaxParallelism = 4, MaxMetricCalls = 200, Budget = budget }),
        _ => throw new ArgumentException($"There is no optimizer '{name}'."),
    };
}

// Right in a third of the cases, which ones depending on everything in the prompt.
static string Answer(ScriptedRequest request, ulong hash)
{
    var question = Patterns.Question().Match(request.LastText);
    var outputs = Patterns.Outputs().Matches(request.LastText).Select(match => match.Groups[1].Value).Distinct().Where(output => output != "completed");
    return ScriptedChatClient.ChatText(FieldMap.Create(outputs.Select(output => KeyValuePair.Create<string, object?>(output, output switch
    {
        "answer" => hash % 3 == 0 ? "a" + question.Groups[1].Value : "wrong",
        "advice" => FieldMap.Of(("self", $"Mind the {hash % 97}.")),
        _ => $"Answer, and mind the {hash % 97}.",
    }))));
}

static Example<FieldMap, FieldMap>[] Examples(int count, string set) =>
    [.. Enumerable.Range(0, count).Select(i => new Example<FieldMap, FieldMap>(FieldMap.Of(("question", $"{set}{i}")), FieldMap.Of(("answer", $"a{set}{i}"))))];

// FNV-1a with a final mix: the same in every process.
static ulong Hash(string text)
{
    var hash = 14695981039346656037UL;
    foreach (var character in text)
        hash = (hash ^ character) * 1099511628211UL;
    return (hash ^ (hash >> 29)) * 0xBF58476D1CE4E5B9UL;
}

internal sealed class TwoSteps : Module<FieldMap, FieldMap>
{
    private readonly Predict hint = Predict.Parse("question -> hint", "Give a hint.");
    private readonly Predict ans = Predict.Parse("question, hint -> answer", "Answer.");

    protected override async Task<FieldMap> ForwardAsync(FieldMap input, CancellationToken cancellationToken) =>
        await ans.CallAsync(input.With("hint", (await hint.CallAsync(input, cancellationToken))["hint"]), cancellationToken);
}

internal static partial class Patterns
{
    [GeneratedRegex(@"\[\[ ## question ## \]\]\n(\w+)")]
    public static partial Regex Question();

    [GeneratedRegex(@"`\[\[ ## (\w+) ## \]\]`")]
    public static partial Regex Outputs();
}
