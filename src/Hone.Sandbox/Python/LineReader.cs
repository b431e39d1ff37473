namespace Hone.Sandbox;

/// <summary>Reads lines of bytes, up to a length.</summary>
internal sealed class LineReader(Stream stream, int maxLength)
{
    private byte[] buffer = new byte[16 << 10];
    private int start;
    private int end;

    /// <summary>The next line without its end, valid until the next call; null when the stream ends or the line is too long.</summary>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken cancellationToken)
    {
        for (var looked = start; ;)
        {
            var stop = buffer.AsSpan(looked, end - looked).IndexOf((byte)'\n');
            if (stop >= 0)
            {
                var line = buffer.AsMemory(start, looked + stop - start);
                start = looked + stop + 1;
                return line;
            }

            if (end - start > maxLength)
                return null;
            MakeRoom();
            looked = end;
            int count;
            try
            {
                count = await stream.ReadAsync(buffer.AsMemory(end), cancellationToken).ConfigureAwait(false);
            }
            catch (Exception error) when (error is IOException or ObjectDisposedException)
            {
                return null;
            }

            if (count == 0)
                return null;
            end += count;
        }
    }

    private void MakeRoom()
    {
        if (start > 0)
        {
            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
        }

        if (end == buffer.Length)
            Array.Resize(ref buffer, buffer.Length * 2);
    }
}
