using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Runtime.InteropServices;

namespace Hone;

/// <summary>
/// Bytes that are to be hashed, in a rented array: every item is tagged or carries its length, so that no two different sequences of items give the
/// same bytes.
/// </summary>
internal ref struct KeyBuffer
{
    private const int LargestInline = 1024;

    private byte[] bytes;
    private int count;

    public KeyBuffer(int capacity) => bytes = ArrayPool<byte>.Shared.Rent(capacity);

    public readonly ReadOnlySpan<byte> Written => bytes.AsSpan(0, count);

    public readonly ResponseKey Hash()
    {
        Span<byte> hash = stackalloc byte[ResponseKey.Length];
        SHA256.HashData(Written, hash);
        return new(hash);
    }

    public readonly void Dispose() => ArrayPool<byte>.Shared.Return(bytes);

    public void Tag(char tag)
    {
        Reserve(1);
        bytes[count++] = (byte)tag;
    }

    public void Number(long value)
    {
        Reserve(8);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(count), value);
        count += 8;
    }

    public void Optional(char tag, long? value)
    {
        if (value is not { } number)
            return;
        Tag(tag);
        Number(number);
    }

    public void Optional(char tag, float? value) => Optional(tag, value is { } number ? BitConverter.DoubleToInt64Bits(number) : (long?)null);

    public void Optional(char tag, bool? value) => Optional(tag, value is { } flag ? (flag ? 1L : 0L) : null);

    public void Optional(char tag, string? value)
    {
        if (value is null)
            return;
        Tag(tag);
        Text(value);
    }

    public void Text(string value)
    {
        Reserve((value.Length * 3) + 4);
        var length = Encoding.UTF8.GetBytes(value, bytes.AsSpan(count + 4));
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(count), length);
        count += length + 4;
    }

    /// <summary>Raw bytes; long ones by their own hash.</summary>
    public void Bytes(ReadOnlySpan<byte> value)
    {
        Reserve(LargestInline + 4);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(count), value.Length);
        count += 4;
        if (value.Length <= LargestInline)
        {
            value.CopyTo(bytes.AsSpan(count));
            count += value.Length;
        }
        else
        {
            SHA256.HashData(value, bytes.AsSpan(count));
            count += ResponseKey.Length;
        }
    }

    public void Json(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Undefined)
            Bytes(JsonMarshal.GetRawUtf8Value(element));
    }

    /// <summary>A loosely typed value; false when it has no stable form.</summary>
    public bool Value(object? value)
    {
        switch (value)
        {
            case null:
                Tag('0');
                return true;
            case string text:
                Tag('s');
                Text(text);
                return true;
            case bool flag:
                Tag(flag ? '+' : '-');
                return true;
            case int number:
                Tag('i');
                Number(number);
                return true;
            case long number:
                Tag('i');
                Number(number);
                return true;
            default:
                if (!StableJson.TryFormat(value, out var json))
                    return false;
                Tag('j');
                Bytes(json);
                return true;
        }
    }

    private void Reserve(int more)
    {
        if (bytes.Length - count >= more)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(bytes.Length * 2, count + more));
        bytes.AsSpan(0, count).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(bytes);
        bytes = larger;
    }
}
