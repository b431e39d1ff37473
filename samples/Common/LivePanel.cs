using Spectre.Console;
using Spectre.Console.Rendering;

namespace SampleCommon;

/// <summary>A panel that is redrawn while work goes on; where there is no terminal, nothing is drawn.</summary>
internal static class LivePanel
{
    public static bool IsInteractive => !Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Interactive;

    /// <summary>Runs the work and redraws until it ends.</summary>
    public static async Task<T> ShowAsync<T>(Func<IRenderable> draw, Func<Task<T>> work)
    {
        if (!IsInteractive)
            return await work();
        return await AnsiConsole.Live(draw()).AutoClear(false).StartAsync(async context =>
        {
            var running = Task.Run(work);
            while (!running.IsCompleted)
            {
                context.UpdateTarget(draw());
                await Task.WhenAny(running, Task.Delay(100));
            }

            context.UpdateTarget(draw());
            return await running;
        });
    }
}
