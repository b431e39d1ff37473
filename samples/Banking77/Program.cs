using System.CommandLine;
using Banking77;

var seed = new Option<long>("--seed") { Description = "Seed of everything.", DefaultValueFactory = _ => 1 };
var seeds = new Option<long[]>("--seeds") { Description = "Train once with each of these seeds on the same messages, and say what they show together.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [] };
var steps = new Option<int>("--steps") { Description = "Steps of reinforcement.", DefaultValueFactory = _ => Settings.DefaultSteps };
var epochs = new Option<int>("--epochs") { Description = "How often every message is imitated first.", DefaultValueFactory = _ => Settings.DefaultEpochs };
var data = new Option<FileInfo?>("--data") { Description = "The Banking77 file (columns text, category). Without it, a small set of the sample's own." };
var checkpoint = new Option<DirectoryInfo?>("--checkpoint") { Description = "Train an adapter on a Hugging Face directory (Qwen2, Qwen2.5, Qwen3, Llama 3, SmolLM2) instead of the embedded model." };
var output = new Option<DirectoryInfo?>("--output") { Description = "Where the run is kept. By default a new folder under runs/." };
var resume = new Option<bool>("--resume") { Description = "Continue an interrupted run in --output (by default the latest under runs/)." };
var dashboard = new Option<bool>("--dashboard") { Description = "Serve a page on the run, for browsers on this machine, and print its address." };
var dashboardPort = new Option<int?>("--dashboard-port") { Description = "The page's port, instead of any free one. Implies --dashboard." };
var dashboardKeep = new Option<bool>("--dashboard-keep") { Description = "Keep the page after the run until Ctrl-C. Implies --dashboard." };

var command = new RootCommand("One classifier: supervised tuning first, then reinforcement.")
{
    seed, seeds, steps, epochs, data, checkpoint, output, resume, dashboard, dashboardPort, dashboardKeep,
};
command.SetAction(async (arguments, _) =>
{
    using var interrupt = new Interrupt();
    try
    {
        var settings = new Settings
        {
            Seed = arguments.GetValue(seed),
            DataSeed = arguments.GetValue(seed),
            Steps = arguments.GetValue(steps),
            Epochs = arguments.GetValue(epochs),
            Output = RunFolder.Choose("banking", arguments.GetValue(output)?.FullName, arguments.GetValue(resume)),
            Resume = arguments.GetValue(resume),
            Data = arguments.GetValue(data)?.FullName,
            Checkpoint = arguments.GetValue(checkpoint)?.FullName,
            DashboardPort = RunPage.ChoosePort(arguments.GetValue(dashboard), arguments.GetValue(dashboardPort), arguments.GetValue(dashboardKeep)),
            KeepDashboard = arguments.GetValue(dashboardKeep),
        };
        await (arguments.GetValue(seeds) is { Length: > 0 } several
            ? TrainingJob.SweepAsync(settings, several, interrupt.Token)
            : TrainingJob.RunAsync(settings, interrupt.Token));
        return 0;
    }
    catch (Exception error) when (error is HoneException or IOException or InvalidDataException or OperationCanceledException)
    {
        Console.Error.WriteLine($"error: {error.Message}");
        return 1;
    }
});

// Ctrl-C is ours: it saves the best so far instead of ending the process.
return await command.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
