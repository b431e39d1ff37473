using System.CommandLine;
using EmbeddedModel;

var defaults = new RecipeOptions();
var learnTokens = new Option<double>("--learn-tokens") { Description = "Tokens of the first phase, in millions.", DefaultValueFactory = _ => defaults.LearnTokens };
var deepenTokens = new Option<double>("--deepen-tokens") { Description = "Tokens of the second phase, in millions.", DefaultValueFactory = _ => defaults.DeepenTokens };
var deepenSeen = new Option<double>("--deepen-seen") { Description = "Tokens of the second phase that the checkpoint in --work has already seen, in millions." };
var finishTokens = new Option<double>("--finish-tokens") { Description = "Tokens of the last phase, in millions.", DefaultValueFactory = _ => defaults.FinishTokens };
var minutes = new Option<double>("--minutes") { Description = "Longest phase, in minutes.", DefaultValueFactory = _ => defaults.TimeLimit.TotalMinutes };
var seed = new Option<int>("--seed") { Description = "Seed of the weights and the lessons.", DefaultValueFactory = _ => defaults.Seed };
var workers = new Option<int>("--workers") { Description = "Threads.", DefaultValueFactory = _ => defaults.Workers };
var output = new Option<string>("--output") { Description = "Where the finished model goes.", DefaultValueFactory = _ => defaults.Output };
var work = new Option<string>("--work") { Description = "Where the first two phases leave their checkpoints.", DefaultValueFactory = _ => defaults.Work };
var startAt = new Option<RecipePhase>("--start-at") { Description = "Begin with this phase, on the checkpoint in --work." };
var evaluateOnly = new Option<bool>("--evaluate-only") { Description = "Evaluate the model in --output." };
var claims = new Option<int>("--claims") { Description = "Claims in the evaluation.", DefaultValueFactory = _ => defaults.EvaluationClaims };

var command = new RootCommand("Trains the model that ships with Hone.Engine from scratch, and evaluates it.")
{
    learnTokens, deepenTokens, deepenSeen, finishTokens, minutes, seed, workers, output, work, startAt, evaluateOnly, claims,
};
command.SetAction(async (arguments, _) =>
{
    var options = new RecipeOptions
    {
        LearnTokens = arguments.GetValue(learnTokens),
        DeepenTokens = arguments.GetValue(deepenTokens),
        DeepenSeen = arguments.GetValue(deepenSeen),
        FinishTokens = arguments.GetValue(finishTokens),
        TimeLimit = TimeSpan.FromMinutes(arguments.GetValue(minutes)),
        Seed = arguments.GetValue(seed),
        Workers = arguments.GetValue(workers),
        Output = arguments.GetValue(output)!,
        Work = arguments.GetValue(work)!,
        StartAt = arguments.GetValue(startAt),
        EvaluationClaims = arguments.GetValue(claims),
    };
    if (arguments.GetValue(evaluateOnly))
        await Recipe.EvaluateAsync(Console.Out, options.Output, options.EvaluationClaims);
    else
        await new Recipe(options, Console.Out).RunAsync();
});
return await command.Parse(args).InvokeAsync();
