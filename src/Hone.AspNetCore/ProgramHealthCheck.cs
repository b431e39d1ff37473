using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Hone.AspNetCore;

/// <summary>
/// Runs a program on one input and remembers the outcome for a while: probes come every few seconds, and each run costs money. Checks at the same time share a run.
/// </summary>
internal sealed class ProgramHealthCheck<TIn, TOut>(Program<TIn, TOut> program, TIn input, TimeSpan validity, TimeProvider time) : IHealthCheck, IDisposable
{
    private readonly SemaphoreSlim turn = new(1);
    private HealthCheckResult last;
    private long? lastAt;

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (lastAt is not { } at || time.GetElapsedTime(at) >= validity)
                (last, lastAt) = (await RunAsync(context, cancellationToken).ConfigureAwait(false), time.GetTimestamp());
            return last;
        }
        finally
        {
            turn.Release();
        }
    }

    public void Dispose() => turn.Dispose();

    private async Task<HealthCheckResult> RunAsync(HealthCheckContext context, CancellationToken cancellationToken)
    {
        try
        {
            var run = await program.RunAsync(input, null, cancellationToken).ConfigureAwait(false);
            return HealthCheckResult.Healthy($"{run.Usage.Calls} calls");
        }
        catch (HoneException error)
        {
            return new(context.Registration.FailureStatus, error.Message, error);
        }
    }
}
