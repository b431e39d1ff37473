using System.Buffers.Binary;

namespace Hone;

/// <summary>The name of a cached answer: a SHA-256 of everything that the request says and nothing else.</summary>
public readonly struct ResponseKey : IEquatable<ResponseKey>
{
    /// <summary>Length in bytes.</summary>
    public const int Length = 32;

    private readonly ulong a;
    private readonly ulong b;
    private readonly ulong c;
    private readonly ulong d;

    /// <summary>Takes a hash of 32 bytes.</summary>
    public ResponseKey(ReadOnlySpan<byte> hash)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(hash.Length, Length, nameof(hash));
        a = BinaryPrimitives.ReadUInt64LittleEndian(hash);
        b = BinaryPrimitives.ReadUInt64LittleEndian(hash[8..]);
        c = BinaryPrimitives.ReadUInt64LittleEndian(hash[16..]);
        d = BinaryPrimitives.ReadUInt64LittleEndian(hash[24..]);
    }

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    public static ResponseKey Parse(string hex) => new(Convert.FromHexString(hex));

    /// <summary>Writes the 32 bytes.</summary>
    public void CopyTo(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(destination, a);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[8..], b);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[16..], c);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[24..], d);
    }

    /// <summary>The 32 bytes.</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[Length];
        CopyTo(bytes);
        return bytes;
    }

    /// <inheritdoc/>
    public bool Equals(ResponseKey other) => a == other.a && b == other.b && c == other.c && d == other.d;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ResponseKey other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => (int)a;

    /// <summary>The hash in lower-case hexadecimal.</summary>
    public override string ToString() => Convert.ToHexStringLower(ToArray());

    /// <summary>Equality of the hashes.</summary>
    public static bool operator ==(ResponseKey left, ResponseKey right) => left.Equals(right);

    /// <summary>Inequality of the hashes.</summary>
    public static bool operator !=(ResponseKey left, ResponseKey right) => !left.Equals(right);
}
