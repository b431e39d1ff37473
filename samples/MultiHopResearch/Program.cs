using System.CommandLine;
using MultiHopResearch;

var seed = new Option<long>("--seed") { Description = "Seed of the training run.", DefaultValueFactory = _ => 1 };
var seeds = new Option<long[]>("--seeds") { Description = "Run once with each of these seeds, and say what they show together.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [] };
var steps = new Option<int>("--steps") { Description = "Training steps.", DefaultValueFactory = _ => Settings.DefaultSteps };
var hops = new Option<int>("--hops") { Description = "Most searches a claim.", DefaultValueFactory = _ => 3 };
var stopEarly = new Option<bool>("--stop-early") { Description = "End with the first search that finds nothing new: runs then differ in how often they call the model." };
var output = new Option<DirectoryInfo?>("--output") { Description = "Where the run is kept. By default a new folder under runs/." };
var resume = new Option<bool>("--resume") { Description = "Continue an interrupted run in --output (by default the latest under runs/)." };
var model = new Option<string?>("--model") { Description = "Evaluate an OpenAI-compatible server, e.g. http://localhost:8000/v1, instead of training. Its key is read from OPENAI_API_KEY." };
var name = new Option<string?>("--name") { Description = "Name of the model on that server." };
var checkpoint = new Option<DirectoryInfo?>("--checkpoint") { Description = "Train an adapter on a Hugging Face directory (Qwen2, Qwen2.5, Qwen3, Llama 3, SmolLM2) instead of the embedded model." };
var dashboard = new Option<bool>("--dashboard") { Description = "Serve a page on the run, for browsers on this machine, and print its address." };
var dashboardPort = new Option<int?>("--dashboard-port") { Description = "The page's port, instead of any free one. Implies --dashboard." };
var dashboardKeep = new Option<bool>("--dashboard-keep") { Description = "Keep the page after the run until Ctrl-C. Implies --dashboard." };

var command = new RootCommand("Trains a multi-hop research program by reinforcement learning, in this process.")
{
    seed, seeds, steps, hops, stopEarly, output, resume, model, name, checkpoint, dashboard, dashboardPort, dashboardKeep,
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
            Hops = arguments.GetValue(hops) is >= 1 and var most ? most : throw new HoneException($"--hops expects 1 or more, got {arguments.GetValue(hops)}."),
            StopsEarly = arguments.GetValue(stopEarly),
            Resume = arguments.GetValue(resume),
            Output = RunFolder.Choose("multi-hop", arguments.GetValue(output)?.FullName, arguments.GetValue(resume)),
            Server = ServerModel.ParseAddress("--model", arguments.GetValue(model)),
            ServerModel = arguments.GetValue(name),
            Checkpoint = arguments.GetValue(checkpoint)?.FullName,
            DashboardPort = RunPage.ChoosePort(arguments.GetValue(dashboard), arguments.GetValue(dashboardPort), arguments.GetValue(dashboardKeep)),
            KeepDashboard = arguments.GetValue(dashboardKeep),
        };
        await (settings.Server is not null ? ServerJob.RunAsync(settings, interrupt.Token)
            : arguments.GetValue(seeds) is { Length: > 0 } several ? TrainingJob.SweepAsync(settings, several, interrupt.Token)
            : TrainingJob.RunAsync(settings, interrupt.Token));
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
