using Hone;
using Hone.Optimizers;
using Spectre.Console;

namespace SampleCommon;

/// <summary>The page on a run that <c>--dashboard</c> asks for.</summary>
public static class RunPage
{
    /// <summary>The port of the page, 0 for any; null when nothing asks for one.</summary>
    /// <exception cref="HoneException">There is no such port.</exception>
    public static int? ChoosePort(bool isWanted, int? given, bool isKept) =>
        given is < 0 or > 65535 ? throw new HoneException($"--dashboard-port expects 0 to 65535, got {given}.")
        : given ?? (isWanted || isKept ? 0 : null);

    /// <summary>Serves the page and prints its address; null when no port is given.</summary>
    public static async Task<Dashboard?> StartAsync(
        int? port, string title, LM model, string runDirectory, IProgress<GrpoEvent> next, CancellationToken stop)
    {
        if (port is not { } number)
            return null;
        var dashboard = await Dashboard.StartAsync(
            new() { Port = number, Title = title, TokenTexts = model.GetService<ITokenTextSource>(), RunDirectory = runDirectory, Next = next },
            stop);
        AnsiConsole.MarkupLineInterpolated($"dashboard  {dashboard.Address}");
        return dashboard;
    }

    /// <summary>Leaves the page up after the run until somebody interrupts, when that was asked for.</summary>
    public static async Task KeepAsync(Dashboard? dashboard, bool isKept, CancellationToken stop)
    {
        if (dashboard is null || !isKept || stop.IsCancellationRequested)
            return;
        AnsiConsole.MarkupLineInterpolated($"the page stays at {dashboard.Address} until Ctrl-C");
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = stop.Register(ended.SetResult);
        await ended.Task;
    }
}
