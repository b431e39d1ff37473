using System.CommandLine;
using Hone;
using Hone.Optimizers;
using PromptSearch;
using SampleCommon;
using Spectre.Console;

var optimizer = new Option<string>("--optimizer") { Description = "gepa, mipro, simba or random-search.", DefaultValueFactory = _ => "gepa" };
var seed = new Option<long>("--seed") { Description = "Seed of everything.", DefaultValueFactory = _ => 1 };
var model = new Option<string?>("--model") { Description = "The model that routes tickets, e.g. http://localhost:8000/v1#small; a script by default." };
var writer = new Option<string?>("--writer") { Description = "The model that writes instructions; that of --model, or a script." };
var calls = new Option<long>("--calls") { Description = "Most calls of models.", DefaultValueFactory = _ => 5_000 };
var output = new Option<DirectoryInfo?>("--output") { Description = "Where the run is kept. By default a new folder under runs/." };
var resume = new Option<bool>("--resume") { Description = "Continue the run in --output (by default the latest under runs/)." };

var command = new RootCommand("Improves the prompt of a program that routes tickets.") { optimizer, seed, model, writer, calls, output, resume };
command.SetAction(async (arguments, _) =>
{
    using var interrupt = new Interrupt();
    try
    {
        var clerk = ServerModel.Parse("--model", arguments.GetValue(model));
        var author = ServerModel.Parse("--writer", arguments.GetValue(writer)) ?? (clerk is null ? ScriptedModels.Writer() : null);
        var (train, validation, test) = Desk.Deal(arguments.GetValue(seed));
        var folder = RunFolder.Choose("prompt-search", arguments.GetValue(output)?.FullName, arguments.GetValue(resume));
        var program = new Predict<Ticket, Routing>("Name the team that looks after the ticket.").WithModel(clerk ?? ScriptedModels.Clerk());
        var display = new SearchDisplay();
        var common = (Seed: arguments.GetValue(seed), Budget: new OptimizationBudget { MaxCalls = arguments.GetValue(calls) }, Resume: arguments.GetValue(resume));
        PromptOptimizer<Ticket, Routing> search = arguments.GetValue(optimizer) switch
        {
            "gepa" => new Gepa<Ticket, Routing>(Desk.Metric, new() { MaxMetricCalls = 600, MinibatchSize = 4, ReflectionModel = author, Seed = common.Seed, Budget = common.Budget, RunDirectory = folder, Resume = common.Resume, Progress = display, Stop = interrupt.Token }) { Test = test },
            "mipro" => new MiproV2<Ticket, Routing>(Desk.Metric, new() { PromptModel = author, Seed = common.Seed, Budget = common.Budget, RunDirectory = folder, Resume = common.Resume, Progress = display, Stop = interrupt.Token }) { Test = test },
            "simba" => new Simba<Ticket, Routing>(Desk.Metric, new() { PromptModel = author, Seed = common.Seed, Budget = common.Budget, RunDirectory = folder, Resume = common.Resume, Progress = display, Stop = interrupt.Token }) { Test = test },
            "random-search" => new BootstrapRandomSearch<Ticket, Routing>(Desk.Metric, new() { MaxLabeledDemos = 8, Seed = common.Seed, Budget = common.Budget, RunDirectory = folder, Resume = common.Resume, Progress = display, Stop = interrupt.Token }) { Test = test },
            var other => throw new HoneException($"There is no optimizer '{other}' here. There are: gepa, mipro, simba, random-search."),
        };
        AnsiConsole.MarkupLineInterpolated($"{search.Name}, {train.Length} tickets to learn from, {validation.Length} to choose by: {search.Estimate(program, train, validation)}");
        var result = await display.ShowAsync(() => search.CompileAsync(program, train, validation, CancellationToken.None));
        AnsiConsole.MarkupLineInterpolated($"\n{result.Verdict}");
        if (result.Test is { } gain)
            AnsiConsole.MarkupLineInterpolated($"[bold]Tickets that nothing was chosen by: {gain.Baseline:P1} before, {gain.Candidate:P1} after, {100 * gain.Gain:+0.0;-0.0} points [[{100 * gain.Interval.Low:0.0}, {100 * gain.Interval.High:0.0}]][/]");
        AnsiConsole.MarkupLineInterpolated($"[grey]{result.Program.Predictors[0].Value.Instructions}[/]\n{result.Program.State["self"].Demos.Length} demos, {result.ProgramRuns} runs, {result.UsageByRole.Values.Sum(usage => usage.Calls)} calls. Everything is in {folder}");
        return 0;
    }
    catch (Exception error) when (error is HoneException or IOException or System.ClientModel.ClientResultException)
    {
        Console.Error.WriteLine($"error: {error.Message}");
        return 1;
    }
});
return await command.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
