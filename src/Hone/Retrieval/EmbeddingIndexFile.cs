using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Hone;

/// <summary>What two indexes must agree on, and how many documents one has numbered.</summary>
internal sealed record EmbeddingIndexIdentity(string? ModelId, bool Normalize, string DocumentPrefix, string QueryPrefix, long Numbered);

/// <summary>
/// The file of an <see cref="EmbeddingIndex"/>: a mark, the version, the SHA-256 of what follows; identity, sizes, documents, vectors (float32, little-endian) and lists.
/// </summary>
internal static class EmbeddingIndexFile
{
    private const int Version = 1;
    private const int Chunk = 1 << 20;

    private static ReadOnlySpan<byte> Mark => "HONEEMB\n"u8;

    public static void Write(Stream stream, EmbeddingIndexIdentity identity, EmbeddingIndex.Snapshot snapshot, CancellationToken cancellationToken)
    {
        stream.Write(Mark);
        stream.Write(BitConverter.GetBytes(Version));
        var place = stream.Position;
        stream.Write(new byte[SHA256.HashSizeInBytes]);
        using var hash = SHA256.Create();
        using (var hashing = new CryptoStream(stream, hash, CryptoStreamMode.Write, leaveOpen: true))
        using (var buffered = new BufferedStream(hashing, Chunk))
        using (var writer = new BinaryWriter(buffered, Encoding.UTF8))
            WriteBody(writer, identity, snapshot, cancellationToken);
        stream.Position = place;
        stream.Write(hash.Hash);
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="HoneException">It is no such file, damaged, or of another identity than the one wanted.</exception>
    public static (EmbeddingIndexIdentity Identity, EmbeddingIndex.Snapshot Snapshot) Read(string path, EmbeddingIndexIdentity wanted, CancellationToken cancellationToken)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, Chunk);
            var expected = ReadHead(stream, path);
            CheckHash(stream, expected, path, cancellationToken);
            using var reader = new BinaryReader(stream, Encoding.UTF8);
            return ReadBody(reader, path, wanted, cancellationToken);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            throw new HoneException($"There is no embedding index to read in '{path}': {error.Message}", error);
        }
        catch (Exception error) when (error is IOException or OverflowException or ArgumentException)
        {
            throw Damaged(path, error);
        }
    }

    private static void WriteBody(BinaryWriter writer, EmbeddingIndexIdentity identity, EmbeddingIndex.Snapshot snapshot, CancellationToken cancellationToken)
    {
        writer.Write(identity.ModelId is not null);
        writer.Write(identity.ModelId ?? string.Empty);
        writer.Write(identity.Normalize);
        writer.Write(identity.DocumentPrefix);
        writer.Write(identity.QueryPrefix);
        writer.Write(identity.Numbered);
        writer.Write(snapshot.Table.Count);
        writer.Write(snapshot.Table.Dimensions);
        foreach (var document in snapshot.Documents)
        {
            writer.Write(document.Id!);
            writer.Write(document.Title);
            writer.Write(document.Text);
        }

        WriteAll(writer, MemoryMarshal.AsBytes(snapshot.Table.Values), cancellationToken);
        writer.Write(snapshot.Lists is not null);
        if (snapshot.Lists is not { } lists)
            return;
        writer.Write(lists.LearnedFrom);
        writer.Write(lists.Means.Count);
        WriteAll(writer, MemoryMarshal.AsBytes(lists.Means.Centres), cancellationToken);
        WriteAll(writer, MemoryMarshal.AsBytes(lists.Nearest), cancellationToken);
    }

    private static void WriteAll(BinaryWriter writer, ReadOnlySpan<byte> bytes, CancellationToken cancellationToken)
    {
        for (; !bytes.IsEmpty; bytes = bytes[Math.Min(Chunk, bytes.Length)..])
        {
            cancellationToken.ThrowIfCancellationRequested();
            writer.Write(bytes[..Math.Min(Chunk, bytes.Length)]);
        }
    }

    private static byte[] ReadHead(FileStream stream, string path)
    {
        Span<byte> head = stackalloc byte[Mark.Length + sizeof(int)];
        if (stream.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length || !head.StartsWith(Mark))
            throw new HoneException($"'{path}' is no embedding index. Give the file that {nameof(EmbeddingIndex.SaveAsync)} wrote.");
        var version = BitConverter.ToInt32(head[Mark.Length..]);
        if (version != Version)
            throw new HoneException($"The embedding index '{path}' has version {version}; this library reads version {Version}. Build it anew, or use the library that wrote it.");
        var hash = new byte[SHA256.HashSizeInBytes];
        stream.ReadExactly(hash);
        return hash;
    }

    // Before anything is believed: sizes in a damaged file could ask for any memory.
    private static void CheckHash(FileStream stream, byte[] expected, string path, CancellationToken cancellationToken)
    {
        var start = stream.Position;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[Chunk];
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, read);
        }

        if (!hash.GetHashAndReset().AsSpan().SequenceEqual(expected))
            throw Damaged(path, null);
        stream.Position = start;
    }

    private static (EmbeddingIndexIdentity Identity, EmbeddingIndex.Snapshot Snapshot) ReadBody(
        BinaryReader reader, string path, EmbeddingIndexIdentity wanted, CancellationToken cancellationToken)
    {
        var modelId = (Known: reader.ReadBoolean(), Name: reader.ReadString());
        var identity = new EmbeddingIndexIdentity(
            modelId.Known ? modelId.Name : null, reader.ReadBoolean(), reader.ReadString(), reader.ReadString(), reader.ReadInt64());
        CheckIdentity(path, identity, wanted);
        var (count, dimensions) = (reader.ReadInt32(), reader.ReadInt32());
        var documents = new SearchDocument[count];
        for (var i = 0; i < count; i++)
        {
            var id = reader.ReadString();
            documents[i] = new(reader.ReadString(), reader.ReadString(), id);
        }

        var table = VectorTable.Wrap(ReadAll<float>(reader, count * dimensions, cancellationToken), count, dimensions);
        if (!reader.ReadBoolean())
            return (identity, new(table, documents, null));
        var (learnedFrom, centres) = (reader.ReadInt32(), reader.ReadInt32());
        var means = KMeans.Wrap(ReadAll<float>(reader, centres * dimensions, cancellationToken), dimensions);
        return (identity, new(table, documents, InvertedLists.Wrap(means, ReadAll<int>(reader, count, cancellationToken), learnedFrom)));
    }

    private static T[] ReadAll<T>(BinaryReader reader, int count, CancellationToken cancellationToken) where T : unmanaged
    {
        var values = GC.AllocateUninitializedArray<T>(count);
        for (var bytes = MemoryMarshal.AsBytes(values.AsSpan()); !bytes.IsEmpty; bytes = bytes[Math.Min(Chunk, bytes.Length)..])
        {
            cancellationToken.ThrowIfCancellationRequested();
            reader.BaseStream.ReadExactly(bytes[..Math.Min(Chunk, bytes.Length)]);
        }

        return values;
    }

    private static void CheckIdentity(string path, EmbeddingIndexIdentity found, EmbeddingIndexIdentity wanted)
    {
        // A model whose name nobody knows is compared by the length of its vectors, at the first query.
        if (found.ModelId is not null && wanted.ModelId is not null && found.ModelId != wanted.ModelId)
            throw new HoneException(
                $"The embedding index '{path}' was made by the model '{found.ModelId}', and is loaded with '{wanted.ModelId}'. Load it with the model that made it, or build it anew.");
        Compare(nameof(EmbeddingIndexOptions.Normalize), found.Normalize, wanted.Normalize);
        Compare(nameof(EmbeddingIndexOptions.DocumentPrefix), found.DocumentPrefix, wanted.DocumentPrefix);
        Compare(nameof(EmbeddingIndexOptions.QueryPrefix), found.QueryPrefix, wanted.QueryPrefix);

        void Compare<T>(string option, T made, T asked)
        {
            if (!EqualityComparer<T>.Default.Equals(made, asked))
                throw new HoneException($"The embedding index '{path}' was made with {option} = '{made}', and is loaded with '{asked}'. Load it with the same, or build it anew.");
        }
    }

    private static HoneException Damaged(string path, Exception? error) =>
        new($"The embedding index '{path}' is damaged: its content is not what was written. Save it again, or build it anew.", error);
}
