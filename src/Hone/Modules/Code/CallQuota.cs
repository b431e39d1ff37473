namespace Hone;

/// <summary>How many calls may still be made. They are taken before they are made, so that no number of calls at once exceeds the limit.</summary>
internal sealed class CallQuota
{
    private int left;

    public CallQuota(int limit) => (Limit, left) = (limit, limit);

    public int Limit { get; }

    public int Left => Volatile.Read(ref left);

    /// <summary>Takes so many calls, or none.</summary>
    public bool TryTake(int count)
    {
        while (true)
        {
            var now = Volatile.Read(ref left);
            if (count > now)
                return false;
            if (Interlocked.CompareExchange(ref left, now - count, now) == now)
                return true;
        }
    }

    /// <summary>Gives back what was taken and not used.</summary>
    public void GiveBack(int count) => Interlocked.Add(ref left, count);

    /// <summary>
    /// Takes all that is left and deals it out evenly, so that what each may spend does not depend on which is faster; null, and nothing is taken, when that
    /// is less than each needs. <see cref="Join"/> takes back what the shares have left.
    /// </summary>
    public CallQuota[]? Split(int count, int needed)
    {
        var now = Left;
        var share = now / count;
        if (share < needed || !TryTake(share * count))
            return null;
        return [.. Enumerable.Range(0, count).Select(_ => new CallQuota(share))];
    }

    /// <summary>Ends the shares of <see cref="Split"/>.</summary>
    public void Join(CallQuota[] shares) => GiveBack(shares.Sum(share => share.Left));
}
