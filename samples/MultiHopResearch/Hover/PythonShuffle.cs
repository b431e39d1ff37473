namespace MultiHopResearch.Hover;

/// <summary>
/// The order that Python's <c>random.Random(seed).shuffle</c> gives, so that a split published with it is the same split here: MT19937 (Matsumoto and
/// Nishimura 1998), seeded by an array, and Fisher–Yates from the end with rejected draws.
/// </summary>
internal static class PythonShuffle
{
    private const int Size = 624;
    private const int Middle = 397;

    public static void Shuffle<T>(IList<T> items, uint seed)
    {
        var generator = new Generator(seed);
        for (var last = items.Count - 1; last > 0; last--)
        {
            var chosen = generator.Below((uint)last + 1);
            (items[last], items[chosen]) = (items[chosen], items[last]);
        }
    }

    private sealed class Generator
    {
        private readonly uint[] state = new uint[Size];
        private int next = Size;

        public Generator(uint seed)
        {
            state[0] = 19650218;
            for (var i = 1; i < Size; i++)
                state[i] = (1812433253 * Mixed(i - 1)) + (uint)i;

            // One number as a key of length one.
            var at = 1;
            for (var i = 0; i < Size; i++)
            {
                state[at] = (state[at] ^ (Mixed(at - 1) * 1664525)) + seed;
                Advance(ref at);
            }

            for (var i = 0; i < Size - 1; i++)
            {
                state[at] = (state[at] ^ (Mixed(at - 1) * 1566083941)) - (uint)at;
                Advance(ref at);
            }

            state[0] = 0x80000000;
        }

        public int Below(uint limit)
        {
            var bits = 32 - System.Numerics.BitOperations.LeadingZeroCount(limit);
            uint draw;
            do
                draw = Next() >> (32 - bits);
            while (draw >= limit);
            return (int)draw;
        }

        private uint Mixed(int index) => state[index] ^ (state[index] >> 30);

        private void Advance(ref int at)
        {
            if (++at < Size)
                return;
            state[0] = state[Size - 1];
            at = 1;
        }

        private uint Next()
        {
            if (next == Size)
                Twist();
            var y = state[next++];
            y ^= y >> 11;
            y ^= (y << 7) & 0x9d2c5680;
            y ^= (y << 15) & 0xefc60000;
            return y ^ (y >> 18);
        }

        private void Twist()
        {
            for (var i = 0; i < Size; i++)
            {
                var y = (state[i] & 0x80000000) | (state[(i + 1) % Size] & 0x7fffffff);
                state[i] = state[(i + Middle) % Size] ^ (y >> 1) ^ ((y & 1) * 0x9908b0df);
            }

            next = 0;
        }
    }
}
