namespace Hone.Engine;

/// <summary>The printable alphabet in which byte-level tokenizers spell bytes: byte 0x20 is written 'Ġ', byte 0x0A 'Ċ', and so on.</summary>
internal static class ByteAlphabet
{
    private static readonly char[] CharOfByte = BuildChars();
    private static readonly short[] ByteOfChar = BuildBytes();

    /// <summary>The letter that stands for a byte.</summary>
    public static char ToChar(byte value) => CharOfByte[value];

    /// <summary>
    /// The bytes that a token's spelling stands for; a spelling with a foreign letter is its own UTF-8 text, as in the native library.
    /// </summary>
    public static byte[] ToBytes(string token)
    {
        var bytes = new byte[token.Length];
        for (var i = 0; i < token.Length; i++)
        {
            var value = token[i] < ByteOfChar.Length ? ByteOfChar[token[i]] : (short)-1;
            if (value < 0) return System.Text.Encoding.UTF8.GetBytes(token);
            bytes[i] = (byte)value;
        }
        return bytes;
    }

    /// <summary>The spelling of bytes.</summary>
    public static string ToText(ReadOnlySpan<byte> bytes)
    {
        Span<char> letters = bytes.Length <= 256 ? stackalloc char[bytes.Length] : new char[bytes.Length];
        for (var i = 0; i < bytes.Length; i++) letters[i] = CharOfByte[bytes[i]];
        return new string(letters);
    }

    // Bytes that are printable in Latin-1 stand for themselves; the others take the letters from U+0100 on, in order (GPT-2).
    private static char[] BuildChars()
    {
        var chars = new char[256];
        var next = 256;
        for (var value = 0; value < 256; value++)
        {
            var printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            chars[value] = printable ? (char)value : (char)next++;
        }
        return chars;
    }

    private static short[] BuildBytes()
    {
        var bytes = new short[CharOfByte.Max() + 1];
        Array.Fill(bytes, (short)-1);
        for (var value = 0; value < 256; value++) bytes[CharOfByte[value]] = (short)value;
        return bytes;
    }
}
