namespace Hone.Optimizers;

/// <summary>
/// Cuts shuffled passes over the training set into minibatches. A pass that does not divide evenly is filled up with the examples used least in it, so
/// that every example is seen in every pass.
/// </summary>
internal sealed class MinibatchSampler(int count, int size, SeedStream seed)
{
    private int[] pass = [];
    private long passNumber = -1;
    private long next;

    /// <summary>Positions of the next minibatch's examples.</summary>
    public int[] Next()
    {
        var perPass = (count + size - 1) / size;
        if (next / perPass != passNumber)
        {
            passNumber = next / perPass;
            pass = Shuffled(seed.Derive("pass", passNumber).CreateRandom(), perPass * size);
        }

        var start = (int)(next++ % perPass) * size;
        return pass[start..(start + size)];
    }

    private int[] Shuffled(Random random, int length)
    {
        var shuffled = new int[length];
        for (var i = 0; i < count; i++)
            shuffled[i] = i;
        random.Shuffle(shuffled.AsSpan(0, count));

        // The last of those used least: in turn from the end, pass after pass.
        for (var i = count; i < length; i++)
            shuffled[i] = shuffled[count - 1 - ((i - count) % count)];
        return shuffled;
    }
}
