using System.Buffers.Binary;
using System.IO.Compression;

namespace ImagesAndAudio;

/// <summary>Pictures in the PNG format, 8 bits a colour, without interlacing: what most files are.</summary>
internal static class Png
{
    private static ReadOnlySpan<byte> Signature => [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>Size and pixels; null when the bytes are no such picture.</summary>
    public static (int Width, int Height, (byte Red, byte Green, byte Blue)[] Pixels)? Read(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.StartsWith(Signature) || bytes[24] != 8 || bytes[25] is not (2 or 6) || bytes[28] != 0)
            return null;
        var (width, height, depth) = (BinaryPrimitives.ReadInt32BigEndian(bytes[16..]), BinaryPrimitives.ReadInt32BigEndian(bytes[20..]), bytes[25] == 2 ? 3 : 4);
        using var packed = new MemoryStream();
        for (var at = Signature.Length; at < bytes.Length; at += 12 + BinaryPrimitives.ReadInt32BigEndian(bytes[at..]))
        {
            if (bytes[(at + 4)..].StartsWith("IDAT"u8))
                packed.Write(bytes.Slice(at + 8, BinaryPrimitives.ReadInt32BigEndian(bytes[at..])));
        }

        packed.Position = 0;
        using var zip = new ZLibStream(packed, CompressionMode.Decompress);
        var (pixels, above, row) = (new List<(byte, byte, byte)>(), new byte[width * depth], new byte[width * depth]);
        for (var y = 0; y < height; y++)
        {
            var filter = zip.ReadByte();
            zip.ReadExactly(row);
            for (var i = 0; i < row.Length; i++)
                row[i] += Guess(filter, i < depth ? 0 : row[i - depth], above[i], i < depth ? 0 : above[i - depth]);
            pixels.AddRange(row.Chunk(depth).Select(pixel => (pixel[0], pixel[1], pixel[2])));
            (above, row) = (row, above);
        }

        return (width, height, [.. pixels]);
    }

    // What a byte is told relative to: its neighbour to the left, above, their mean, or the nearest to left + above - corner.
    private static byte Guess(int filter, int left, int above, int corner) =>
        (byte)new[] { 0, left, above, (left + above) / 2, new[] { left, above, corner }.MinBy(value => Math.Abs(left + above - corner - value)) }[filter];
}
