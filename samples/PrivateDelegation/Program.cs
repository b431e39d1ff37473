using System.CommandLine;
using PrivateDelegation;

var seed = new Option<long>("--seed") { Description = "Seed of the training run.", DefaultValueFactory = _ => 1 };
var seeds = new Option<long[]>("--seeds") { Description = "Train once with each of these seeds, and say what they show together.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [] };
var steps = new Option<int>("--steps") { Description = "Training steps.", DefaultValueFactory = _ => Settings.DefaultSteps };
var warmUp = new Option<int>("--warm-up") { Description = "Queries that the embedded model is shown before it is trained; with few it cannot learn.", DefaultValueFactory = _ => WarmStart.DefaultQueries };
var output = new Option<DirectoryInfo?>("--output") { Description = "Where the run is kept. By default a new folder under runs/." };
var resume = new Option<bool>("--resume") { Description = "Continue an interrupted run in --output (by default the latest under runs/)." };
var data = new Option<FileInfo?>("--data") { Description = "The PUPA file pupa_new as JSON lines instead of the sample's own queries." };
var model = new Option<string?>("--model") { Description = "Evaluate a model on an OpenAI-compatible server, e.g. http://localhost:8000/v1#qwen3, instead of training. Keys are read from OPENAI_API_KEY." };
var untrusted = new Option<string?>("--untrusted") { Description = "The strong, untrusted model as ADDRESS#NAME; without it the sample's own rules answer." };
var judge = new Option<string?>("--judge") { Description = "The judging model as ADDRESS#NAME; without it the sample's own rules judge." };
var checkpoint = new Option<DirectoryInfo?>("--checkpoint") { Description = "Train an adapter on a Hugging Face directory (Qwen2, Qwen2.5, Qwen3, Llama 3, SmolLM2) instead of the embedded model." };

var dashboard = new Option<bool>("--dashboard") { Description = "Serve a page on the run, for browsers on this machine, and print its address." };
var dashboardPort = new Option<int?>("--dashboard-port") { Description = "The page's port, instead of any free one. Implies --dashboard." };
var dashboardKeep = new Option<bool>("--dashboard-keep") { Description = "Keep the page after the run until Ctrl-C. Implies --dashboard." };

var command = new RootCommand("Trains a program that delegates to an untrusted model without telling it personal details.")
{
    seed, seeds, steps, warmUp, output, resume, data, model, untrusted, judge, checkpoint, dashboard, dashboardPort, dashboardKeep,
};
command.SetAction(async (arguments, cancellationToken) =>
{
    using var interrupt = new Interrupt();
    try
    {
        var settings = new Settings
        {
            Seed = arguments.GetValue(seed),
            Steps = arguments.GetValue(steps),
            WarmUp = arguments.GetValue(warmUp) is >= 1 and var shown ? shown : throw new HoneException($"--warm-up expects 1 or more, got {arguments.GetValue(warmUp)}."),
            Resume = arguments.GetValue(resume),
            Output = RunFolder.Choose("delegation", arguments.GetValue(output)?.FullName, arguments.GetValue(resume)),
            Data = arguments.GetValue(data)?.FullName,
            Model = ServerModel.Parse("--model", arguments.GetValue(model)),
            Untrusted = ServerModel.Parse("--untrusted", arguments.GetValue(untrusted)),
            Judge = ServerModel.Parse("--judge", arguments.GetValue(judge)),
            Checkpoint = arguments.GetValue(checkpoint)?.FullName,
            DashboardPort = RunPage.ChoosePort(arguments.GetValue(dashboard), arguments.GetValue(dashboardPort), arguments.GetValue(dashboardKeep)),
            KeepDashboard = arguments.GetValue(dashboardKeep),
        };
        await (arguments.GetValue(seeds) is { Length: > 0 } several ? Jobs.SweepAsync(settings, several, interrupt.Token) : Jobs.RunAsync(settings, interrupt.Token));
        return 0;
    }
    catch (OperationCanceledException) when (interrupt.Token.IsCancellationRequested)
    {
        Console.Error.WriteLine("Stopped before training began; nothing was lost.");
        return 0;
    }
    catch (Exception error) when (error is HoneException or IOException or HttpRequestException or InvalidDataException or AggregateException or System.ClientModel.ClientResultException)
    {
        Console.Error.WriteLine($"error: {error.Message}");
        return 1;
    }
});

// Ctrl-C is ours: it saves the best so far instead of ending the process.
return await command.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
