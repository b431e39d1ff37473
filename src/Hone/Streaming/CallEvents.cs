using System.Threading.Channels;

namespace Hone;

/// <summary>The events of one call, on their way to whoever streams the program and to the call's own reader.</summary>
/// <param name="outer">Whoever streams the program; null when nobody does.</param>
/// <param name="own">The call's own reader.</param>
/// <param name="read">What the own reader sees of an event; null for nothing. It throws to end the call.</param>
internal sealed class CallEvents<T>(ChannelWriter<RunEvent>? outer, ChannelWriter<T> own, Func<RunEvent, T?> read) : ChannelWriter<RunEvent>
    where T : class
{
    /// <summary>Always false: an event may have to wait for two readers.</summary>
    public override bool TryWrite(RunEvent item) => false;

    /// <inheritdoc/>
    public override ValueTask<bool> WaitToWriteAsync(CancellationToken cancellationToken = default) => own.WaitToWriteAsync(cancellationToken);

    /// <inheritdoc/>
    public override async ValueTask WriteAsync(RunEvent item, CancellationToken cancellationToken = default)
    {
        if (outer is not null)
            await outer.WriteAsync(item, cancellationToken).ConfigureAwait(false);
        if (read(item) is { } seen)
            await own.WriteAsync(seen, cancellationToken).ConfigureAwait(false);
    }
}
