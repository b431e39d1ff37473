using System.CommandLine;
using Banking77;
using Hone;
using Hone.Engine;
using Hone.OptimizerStudy;
using Hone.Optimizers;
using MultiHopResearch;

var task = new Option<string>("--task") { Description = "multihop or banking.", DefaultValueFactory = _ => "multihop" };
var optimizers = new Option<string[]>("--optimizer") { Description = "random-search, mipro, simba, gepa, gepa-grpo.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => ["random-search", "mipro", "simba", "gepa", "gepa-grpo"] };
var seed = new Option<long>("--seed") { Description = "Seed of everything.", DefaultValueFactory = _ => 1 };
var steps = new Option<int>("--steps") { Description = "Steps of reinforcement in gepa-grpo.", DefaultValueFactory = _ => 40 };
var data = new Option<FileInfo?>("--data") { Description = "The Banking77 file (columns text, category). Without it, a small set of the sample's own." };
var imitation = new Option<int>("--imitate") { Description = "Banking: messages that the embedded model imitates first.", DefaultValueFactory = _ => 2_000 };

var command = new RootCommand("Optimizers of prompts on the embedded model.") { task, optimizers, seed, steps, data, imitation };
command.SetAction(async (arguments, cancellationToken) =>
{
    // The model itself is measured: an answer that cannot be read counts as it is.
    var model = EngineLM.Embedded() with { Options = new() { Temperature = 0, MaxOutputTokens = 64 } };
    Console.WriteLine("| optimizer | seed | validation | test | gain, points | candidates | runs | seconds |\n|---|---|---|---|---|---|---|---|");

    // One start for all: messages are imitated once.
    var banking = arguments.GetValue(task) == "banking"
        ? await BankingAsync(model, arguments.GetValue(data)?.FullName, arguments.GetValue(seed), arguments.GetValue(imitation), cancellationToken)
        : null;
    foreach (var name in arguments.GetValue(optimizers)!)
    {
        if (banking is not null)
            await banking.RunAsync(name, arguments.GetValue(seed), arguments.GetValue(steps));
        else
            await MultiHopAsync(model, name, arguments.GetValue(seed), arguments.GetValue(steps));
    }

    return 0;
});
return await command.Parse(args).InvokeAsync();

static async Task MultiHopAsync(LM model, string name, long seed, int steps)
{
    using var worlds = new Worlds();
    var program = worlds.Program.WithModel(model).WithRecovery(RecoveryPolicy.None);
    await new Study<Claim, Research>(program, ResearchData.Recall, [.. worlds.Train.Take(48)], [.. worlds.Validation.Take(60)], [.. worlds.HeldOut[0].Claims.Take(150)]).RunAsync(name, seed, steps);
}

// Without imitation the embedded model does not know what an intent is: every score would be 0.
static async Task<Study<Message, Intent>> BankingAsync(LM model, string? path, long seed, int imitated, CancellationToken cancellationToken)
{
    var set = path is null ? Dataset.Mini(seed) : Dataset.Read(path, seed);
    var start = new Predict<Message, Intent>("Name the intent of the customer's message.").WithModel(model).WithRecovery(RecoveryPolicy.None);
    var metric = Metric.From<Message, Intent>((example, intent) => example.Expected.Category == intent.Category);
    var program = start;
    if (imitated > 0)
    {
        var demonstrations = set.Imitate.Take(imitated)
            .Select(row => Demonstration.Of(start, "self", FieldMap.Of(("text", row.Input.Text)), FieldMap.Of(("category", row.Expected.Category)))).ToArray();
        program = (await new SupervisedTuning<Message, Intent>(new() { Epochs = 3, BatchSize = 16, LearningRate = 1e-3, Seed = seed }).CompileAsync(start, demonstrations, cancellationToken)).Program;
    }

    return new(program, metric, [.. set.Train.Take(60)], [.. set.Validation.Take(100)], [.. set.Test.Take(200)]);
}
