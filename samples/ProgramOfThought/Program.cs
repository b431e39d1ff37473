using System.CommandLine;
using Hone;
using Hone.Sandbox;
using ProgramOfThought;
using SampleCommon;

var problem = new Option<string?>("--problem") { Description = "Solves this one by code, and shows the code, in place of the comparison." };

var app = new SampleApp("Word problems: reckoned in words, and computed by code that the model writes.", ScriptedModel.Create, problem);
return await app.RunAsync(args, async run =>
{
    await using var interpreter = new JavaScriptInterpreter();
    const string Instructions = "Solve the problem.";
    var byCode = new ProgramOfThought<Problem, Solution>(Instructions, interpreter).WithModel(run.Model);
    if (run.Arguments.GetValue(problem) is { } text)
    {
        Print(await byCode.RunAsync(new(text), null, run.CancellationToken));
        return;
    }

    var inWords = new ChainOfThought<Problem, Solution>(Instructions).WithModel(run.Model);
    var comparison = await Evaluator.Create(Problems.Metric, new() { MaxErrors = 0 }).CompareAsync(inWords, byCode, Problems.All, run.CancellationToken);
    foreach (var (words, code) in comparison.Baseline.Rows.Zip(comparison.Candidate.Rows))
        Console.WriteLine(FormattableString.Invariant($"{words.Name,-10} right {words.Example.Expected.Number,10}   in words {words.Value!.Number,10}   by code {code.Value!.Number,10}"));
    Console.WriteLine($"{comparison}\nrequests: {comparison.Baseline.Usage.Calls} in words, {comparison.Candidate.Usage.Calls} by code\n");

    // The one whose code failed at first.
    var mended = comparison.Candidate.Rows.MaxBy(row => row.Trace.Calls.Length)!;
    Console.WriteLine(mended.Example.Input.Text);
    Print(new(mended.Value!, mended.Trace));
});

static void Print(Prediction<Solution> solved)
{
    foreach (var call in solved.Trace.Calls)
    {
        if (call.Inputs.TryGetValue("error", out var error))
            Console.WriteLine($"--> {error}");
        if (call.Outputs?.TryGetValue("generated_code", out var code) == true)
            Console.WriteLine(code);
    }

    Console.WriteLine(FormattableString.Invariant($"--> {solved.Value.Number}"));
}
