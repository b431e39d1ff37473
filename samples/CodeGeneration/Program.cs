using System.CommandLine;
using CodeGeneration;
using Hone;
using Hone.Sandbox;
using SampleCommon;

var task = new Option<string?>("--task") { Description = "Only the tasks whose name has this in it." };
var attempts = SampleApp.Number("--attempts", "How often code may be written for a task.", 3);

var app = new SampleApp("Writes code for a library that no model knows, from its documentation, until the tests pass.", ScriptedModel.Create, task, attempts);
return await app.RunAsync(args, async run =>
{
    await using var interpreter = new JavaScriptInterpreter();
    var program = new Developer(interpreter, run.Arguments.GetValue(attempts)).WithModel(run.Model);
    var passed = 0;
    foreach (var job in Tally.Jobs.Where(job => job.Name.Contains(run.Arguments.GetValue(task) ?? "", StringComparison.OrdinalIgnoreCase)))
    {
        var work = await program.CallAsync(job, run.CancellationToken);
        passed += work.Passes ? 1 : 0;
        Console.WriteLine($"# {job.Wanted}\n{string.Join('\n', work.Attempts.Select(attempt => $"{attempt.Code}\n--> {attempt.Failure ?? "all tests pass"}\n"))}");
    }

    Console.WriteLine($"{passed} tasks solved");
});
