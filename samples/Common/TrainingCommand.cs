using System.CommandLine;
using Hone;

namespace SampleCommon;

/// <summary>The command line that the training samples share: seeds, steps, where the run is kept, the page on it. A sample adds options of its own.</summary>
/// <param name="name">What run folders are called by.</param>
/// <param name="description">What the sample does.</param>
/// <param name="own">Options of the sample's own.</param>
public sealed class TrainingCommand(string name, string description, params IReadOnlyList<Option> own)
{
    private readonly Option<long> seed = new("--seed") { Description = "Seed of everything that is random in the run.", DefaultValueFactory = _ => 1 };
    private readonly Option<long[]> seeds = new("--seeds")
    {
        Description = "Train once with each of these seeds, and say what they show together.",
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => [],
    };

    private readonly Option<int?> steps = new("--steps") { Description = "Training steps, instead of the sample's own number." };
    private readonly Option<DirectoryInfo?> output = new("--output") { Description = "Where the run is kept. By default a new folder under runs/." };
    private readonly Option<bool> resume = new("--resume") { Description = "Continue an interrupted run in --output (by default the latest under runs/)." };
    private readonly Option<DirectoryInfo?> checkpoint = new("--checkpoint")
    {
        Description = "Train an adapter on a Hugging Face directory (Qwen2, Qwen2.5, Qwen3, Llama 3, SmolLM2) instead of the embedded model.",
    };

    private readonly Option<bool> overlap = new("--overlap")
    {
        Description = "Learn from examples that are scored while others still wait for servers. Worth it with models, judges or searches elsewhere.",
    };

    private readonly Option<bool> dashboard = new("--dashboard") { Description = "Serve a page on the run, for browsers on this machine, and print its address." };
    private readonly Option<int?> dashboardPort = new("--dashboard-port") { Description = "The page's port, instead of any free one. Implies --dashboard." };
    private readonly Option<bool> dashboardKeep = new("--dashboard-keep") { Description = "Keep the page after the run until Ctrl-C. Implies --dashboard." };

    /// <summary>The settings, with what the shared options say.</summary>
    /// <exception cref="HoneException">There is no such port, or no step.</exception>
    public T Read<T>(ParseResult arguments, T settings) where T : TrainingSettings => (T)((TrainingSettings)settings with
    {
        Seed = arguments.GetValue(seed),
        Steps = AtLeastOne("--steps", arguments.GetValue(steps) ?? settings.Steps),
        Output = RunFolder.Choose(name, arguments.GetValue(output)?.FullName, arguments.GetValue(resume)),
        Resume = arguments.GetValue(resume),
        Checkpoint = arguments.GetValue(checkpoint)?.FullName,
        Overlap = arguments.GetValue(overlap),
        DashboardPort = RunPage.ChoosePort(arguments.GetValue(dashboard), arguments.GetValue(dashboardPort), arguments.GetValue(dashboardKeep)),
        KeepDashboard = arguments.GetValue(dashboardKeep),
    });

    /// <summary>A number that only makes sense from 1 on.</summary>
    /// <exception cref="HoneException">It is less.</exception>
    public static int AtLeastOne(string option, int given) => given >= 1 ? given : throw new HoneException($"{option} expects 1 or more, got {given}.");

    /// <summary>The seeds of a sweep; empty for a single run.</summary>
    public IReadOnlyList<long> SeedsOf(ParseResult arguments) => arguments.GetValue(seeds) ?? [];

    /// <summary>Reads the arguments and does the work. Ctrl-C is a request to stop; what a user can mend is told in a line.</summary>
    /// <returns>The exit code.</returns>
    public Task<int> RunAsync(string[] arguments, Func<ParseResult, CancellationToken, Task> work)
    {
        var root = new RootCommand(description) { seed, seeds, steps, output, resume, checkpoint, overlap, dashboard, dashboardPort, dashboardKeep };
        foreach (var option in own)
            root.Add(option);
        root.SetAction(async (given, _) => await RunAsync(given, work));

        // Ctrl-C is ours: it saves the best so far instead of ending the process.
        return root.Parse(arguments).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
    }

    private static async Task<int> RunAsync(ParseResult arguments, Func<ParseResult, CancellationToken, Task> work)
    {
        using var interrupt = new Interrupt();
        try
        {
            await work(arguments, interrupt.Token);
            return 0;
        }
        catch (OperationCanceledException) when (interrupt.Token.IsCancellationRequested)
        {
            Console.Error.WriteLine("Stopped before training began, or between two runs of a sweep; nothing was lost.");
            return 0;
        }
        catch (Exception error) when (error is HoneException or IOException or HttpRequestException or InvalidDataException or AggregateException or System.ClientModel.ClientResultException)
        {
            Console.Error.WriteLine($"error: {error.Message}");
            return 1;
        }
    }
}
