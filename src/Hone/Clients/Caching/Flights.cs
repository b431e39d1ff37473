using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>
/// One request under way that several callers wait for. It belongs to none of them: it is cancelled when the last has gone, not when the first has.
/// </summary>
internal sealed class Flight
{
    private readonly TaskCompletionSource<CachedResponse?> landed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource stop = new();

    /// <summary>What the callers who joined may share; null when the answer can only be the first caller's.</summary>
    public Task<CachedResponse?> Landed => landed.Task;

    /// <summary>The answer itself, for the first caller.</summary>
    public ChatResponse? Original { get; private set; }

    /// <summary>Cancelled when nobody waits any more.</summary>
    public CancellationToken Stop => stop.Token;

    /// <summary>Callers that wait; changed by the table only.</summary>
    public int Waiting { get; set; } = 1;

    public void Land(ChatResponse? original, CachedResponse? shared)
    {
        Original = original;
        landed.TrySetResult(shared);
    }

    public void Crash(Exception error)
    {
        if (error is OperationCanceledException && stop.IsCancellationRequested)
        {
            landed.TrySetCanceled(stop.Token);
        }
        else
        {
            landed.TrySetException(error);
            _ = landed.Task.Exception; // seen, even when nobody waits any more
        }
    }

    public void Cancel() => stop.Cancel();
}

/// <summary>The requests under way, by key.</summary>
internal sealed class Flights
{
    private readonly Lock gate = new();
    private readonly Dictionary<ResponseKey, Flight> flights = [];

    /// <summary>The flight of a key; the caller is its first when there was none, and then must see that it lands.</summary>
    public (Flight Flight, bool IsFirst) Join(ResponseKey key)
    {
        lock (gate)
        {
            if (flights.TryGetValue(key, out var flight))
            {
                flight.Waiting++;
                return (flight, false);
            }

            flight = new();
            flights.Add(key, flight);
            return (flight, true);
        }
    }

    /// <summary>A caller no longer waits.</summary>
    public void Leave(ResponseKey key, Flight flight)
    {
        lock (gate)
        {
            if (--flight.Waiting > 0)
                return;
            if (flights.TryGetValue(key, out var current) && ReferenceEquals(current, flight))
                flights.Remove(key);
        }

        if (!flight.Landed.IsCompleted)
            flight.Cancel();
    }

    /// <summary>Nobody can join any more: later callers find the answer in the cache.</summary>
    public void Close(ResponseKey key, Flight flight)
    {
        lock (gate)
        {
            if (flights.TryGetValue(key, out var current) && ReferenceEquals(current, flight))
                flights.Remove(key);
        }
    }
}
