using System.Buffers.Binary;

namespace Hone;

/// <summary>Writes the WAV format: 16-bit integers, one channel.</summary>
internal static class WaveFile
{
    private const int HeaderBytes = 44;

    public static byte[] Write(ReadOnlySpan<float> samples, int samplingRate)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(samplingRate);
        var file = new byte[HeaderBytes + (2 * samples.Length)];
        var span = file.AsSpan();
        "RIFF"u8.CopyTo(span);
        BinaryPrimitives.WriteInt32LittleEndian(span[4..], file.Length - 8);
        "WAVEfmt "u8.CopyTo(span[8..]);
        BinaryPrimitives.WriteInt32LittleEndian(span[16..], 16); // bytes of the format block
        BinaryPrimitives.WriteInt16LittleEndian(span[20..], 1); // integer samples
        BinaryPrimitives.WriteInt16LittleEndian(span[22..], 1); // channels
        BinaryPrimitives.WriteInt32LittleEndian(span[24..], samplingRate);
        BinaryPrimitives.WriteInt32LittleEndian(span[28..], 2 * samplingRate); // bytes a second
        BinaryPrimitives.WriteInt16LittleEndian(span[32..], 2); // bytes a sample
        BinaryPrimitives.WriteInt16LittleEndian(span[34..], 16); // bits a sample
        "data"u8.CopyTo(span[36..]);
        BinaryPrimitives.WriteInt32LittleEndian(span[40..], 2 * samples.Length);
        for (var i = 0; i < samples.Length; i++)
        {
            var sample = (short)Math.Round(Math.Clamp(samples[i], -1, 1) * short.MaxValue);
            BinaryPrimitives.WriteInt16LittleEndian(span[(HeaderBytes + (2 * i))..], sample);
        }

        return file;
    }
}
