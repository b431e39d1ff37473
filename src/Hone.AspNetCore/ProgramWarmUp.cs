using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Hone.AspNetCore;

/// <summary>Runs a program once while the host starts, so that the first request finds models loaded, connections open and code compiled.</summary>
internal sealed partial class ProgramWarmUp<TIn, TOut>(Program<TIn, TOut> program, TIn input, ILogger<ProgramWarmUp<TIn, TOut>> logger) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await program.RunAsync(input, null, cancellationToken).ConfigureAwait(false);
        }
        catch (HoneException error)
        {
            // The host starts all the same: a model that cannot be reached now may be there at the first request.
            Failed(logger, program.Module.GetType().Name, error);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(Level = LogLevel.Warning, Message = "Warming up {Module} failed.")]
    private static partial void Failed(ILogger logger, string module, Exception error);
}
