namespace Hone.Reinforcement;

/// <summary>Tells the service at intervals that the session is alive, so that it is not dropped while a program thinks.</summary>
internal sealed class TinkerHeartbeat : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly Task beating;
    private int isDisposed;

    public TinkerHeartbeat(TinkerClient client, string session) => beating = BeatAsync(client, session, stop.Token);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref isDisposed, 1) != 0)
            return;
        await stop.CancelAsync().ConfigureAwait(false);
        await beating.ConfigureAwait(false);
        stop.Dispose();
    }

    private static async Task BeatAsync(TinkerClient client, string session, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(client.Options.HeartbeatInterval, client.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
            {
                try
                {
                    await client.PostAsync(
                        "session_heartbeat",
                        writer =>
                        {
                            writer.WriteString("session_id", session);
                            writer.WriteString("type", "session_heartbeat");
                        },
                        isRepeatable: false, cancellationToken).ConfigureAwait(false);
                }
                catch (TrainingServiceException error)
                {
                    // Whether anything is lost shows at the next operation.
                    RemoteLog.HeartbeatMissed(client.Log, "The Tinker service", error.Message);
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return; // the session ends
        }
    }
}
