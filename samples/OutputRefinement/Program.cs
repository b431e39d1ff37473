using System.CommandLine;
using Hone;
using OutputRefinement;
using SampleCommon;

var product = new Option<string>("--product") { Description = "What the slogan is for.", DefaultValueFactory = _ => "Farholm tea" };
var terms = new Option<string[]>("--term") { Description = "A term that must be in it; may be given several times.", DefaultValueFactory = _ => ["warm", "wild herbs"] };
var words = SampleApp.Number("--words", "Most words.", 8);

var app = new SampleApp("Writes a slogan until it fits: by several attempts, then by advice.", ScriptedModel.Create, product, terms, words);
return await app.RunAsync(args, async run =>
{
    var brief = new Brief(run.Arguments.GetValue(product)!, run.Arguments.GetValue(terms)!, run.Arguments.GetValue(words));
    var write = new Predict<Brief, Slogan>("Write a slogan for the product.");

    var best = new BestOfN<Brief, Slogan>(write, attempts: 3, Slogans.Reward, threshold: 1);
    await ShowAsync("BestOfN", best);

    var refine = new Refine<Brief, Slogan>(write, attempts: 3, Slogans.Reward, threshold: 1, goal: "A slogan with all terms and no word too many.");
    await ShowAsync("Refine", refine);

    async Task ShowAsync(string name, AttemptingModule<Brief, Slogan> module)
    {
        using var scope = HoneScope.Use(run.Model);
        var result = await module.AttemptAsync(brief, run.CancellationToken);
        Console.WriteLine($"{name}, {result.Attempts.Length} of at most {module.Attempts} attempts:");
        foreach (var attempt in result.Attempts)
        {
            foreach (var advice in attempt.Advice)
                Console.WriteLine($"  advice: {advice}");
            Console.WriteLine(FormattableString.Invariant($"  {attempt.Reward?.Value:0.00}  {attempt.Output?.Text}\n        {attempt.Reward?.Feedback}"));
        }

        Console.WriteLine($"taken: {result.Best.Text}\n");
    }
});
