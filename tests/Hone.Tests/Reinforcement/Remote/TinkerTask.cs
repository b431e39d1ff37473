using Hone.Reinforcement;
using Hone.Testing;
using Hone.Tests.Optimizers;

namespace Hone.Tests.Reinforcement.Remote;

/// <summary>What tests of training services share.</summary>
internal static class TinkerTask
{
    /// <summary>A loss for which nothing need be asked first.</summary>
    public static PolicyLossOptions Plain => new() { Correction = ImportanceCorrection.None };

    public static TinkerOptions Options(FakeTinkerServer server, string? key = null, TimeProvider? time = null, Clients.ListLogger? log = null) => new()
    {
        Address = server.Address,
        BaseModel = FakeTinkerServer.BaseModel,
        Tokenizer = new ToyTokenizer(ToyTask.Policy().Choices),
        ApiKey = key,
        Time = time ?? TimeProvider.System,
        HeartbeatInterval = TimeSpan.FromHours(1),
        Logger = log,
    };

    public static async Task<ITrainingSession> StartAsync(TinkerOptions options, TrainingOptions? training = null, CancellationToken cancellationToken = default) =>
        await TinkerLM.Open(options).GetService<ITrainableModel>()!.StartTrainingAsync(training ?? new(), cancellationToken);
}

/// <summary>A clock on which no pause takes any time, while time-outs of requests run on the real one.</summary>
internal sealed class LeapingClock : TimeProvider
{
    private long leaped;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Volatile.Read(ref leaped);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        // Time limits of a minute and more are not pauses.
        if (dueTime >= TimeSpan.FromMinutes(1) || dueTime < TimeSpan.Zero)
            return System.CreateTimer(callback, state, dueTime, period);
        Interlocked.Add(ref leaped, dueTime.Ticks);
        return System.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }
}
