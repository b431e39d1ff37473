using System.Collections.Immutable;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using SQLitePCL;

namespace Hone;

/// <summary>One row of the store.</summary>
internal readonly record struct SqliteRow(long Id, ResponseKey Key, byte[] Json);

/// <summary>The file can be neither opened nor created: its surroundings are at fault.</summary>
internal sealed class StoreUnavailableException(string message, Exception innerException) : LMConfigurationException(message, innerException);

/// <summary>An open database file and its statements. Not safe under concurrent calls: the store holds a lock.</summary>
internal sealed class SqliteFile : IDisposable
{
    private const int ApplicationId = 0x486F6E65; // "Hone"
    private const int SchemaVersion = 1;
    private const int LogicError = 1; // a table or column is missing, or the format is unknown
    private const int ReadOnlyError = 8;
    private const int CorruptError = 11;
    private const int FormatError = 24;
    private const int NotADatabaseError = 26;

    private const string Schema = """
        CREATE TABLE IF NOT EXISTS responses (
            id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, size INTEGER NOT NULL, accessed INTEGER NOT NULL, json BLOB NOT NULL);
        CREATE INDEX IF NOT EXISTS responses_by_use ON responses (accessed, size);
        """;

    private readonly SqliteConnection connection;
    private readonly sqlite3_stmt get;
    private readonly SqliteCommand set;
    private readonly SqliteCommand touch;
    private readonly byte[] keyBytes = new byte[ResponseKey.Length];

    private SqliteFile(SqliteConnection connection, bool isReadOnly)
    {
        this.connection = connection;
        IsReadOnly = isReadOnly;
        // The one statement whose speed matters: at this level it costs half of what a command does.
        SqliteException.ThrowExceptionForRC(
            raw.sqlite3_prepare_v2(connection.Handle, "SELECT json, accessed FROM responses WHERE key = ?", out get), connection.Handle);
        set = Command(
            "INSERT INTO responses (key, size, accessed, json) VALUES ($key, $size, $now, $json) "
            + "ON CONFLICT (key) DO UPDATE SET size = $size, accessed = $now, json = $json", "$key", "$size", "$now", "$json");
        touch = Command("UPDATE responses SET accessed = $now WHERE key = $key", "$key", "$now");
    }

    /// <summary>True when the file is read and never written, not even the time of last use.</summary>
    public bool IsReadOnly { get; }

    /// <summary>True when the file's content, not its surroundings, is at fault.</summary>
    public static bool IsDamage(SqliteException error, string path) => error.SqliteErrorCode switch
    {
        LogicError or CorruptError or FormatError or NotADatabaseError => true,
        ReadOnlyError => OwnerOnlyFile.IsWritable(path), // then it is the header that forbids writing
        _ => false,
    };

    /// <summary>Opens the file; one that is damaged or of another version is set aside. One that must not be written is only read.</summary>
    public static SqliteFile OpenOrReplace(string path, TimeSpan busyTimeout, ILogger logger, TimeProvider time)
    {
        if (OwnerOnlyFile.IsReadOnly(path))
            return OpenToRead(path, busyTimeout);
        try
        {
            return Open(path, busyTimeout) ?? Replace(path, "it is of another version, or its mark is damaged", busyTimeout, logger, time);
        }
        catch (SqliteException error) when (IsDamage(error, path))
        {
            return Replace(path, error.Message, busyTimeout, logger, time);
        }
        catch (Exception error) when (error is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw new StoreUnavailableException($"The response cache {path} cannot be opened: {error.Message} Check the path and its permissions.", error);
        }
    }

    /// <summary>Renames the file and begins an empty one, unless another process has done so in the meantime.</summary>
    public static SqliteFile Replace(string path, string reason, TimeSpan busyTimeout, ILogger logger, TimeProvider time)
    {
        try
        {
            if (Open(path, busyTimeout) is { } sound)
            {
                if (sound.IsSound())
                    return sound;
                sound.Dispose();
            }
        }
        catch (SqliteException error) when (IsDamage(error, path))
        {
            reason = error.Message;
        }

        var aside = SetAside(path, time);
        HoneLog.CacheSetAside(logger, path, reason, aside);
        return Open(path, busyTimeout)
            ?? throw new LMConfigurationException($"The response cache {path} is replaced by other processes again and again. Give each version of Hone its own file.");
    }

    /// <summary>The value of a key and when it was last used, as far as that is written down.</summary>
    public (byte[]? Json, long Accessed) Get(ResponseKey key)
    {
        key.CopyTo(keyBytes);
        try
        {
            SqliteException.ThrowExceptionForRC(raw.sqlite3_bind_blob(get, 1, keyBytes), connection.Handle);
            var result = raw.sqlite3_step(get);
            if (result == raw.SQLITE_ROW)
                return (raw.sqlite3_column_blob(get, 0).ToArray(), raw.sqlite3_column_int64(get, 1));
            if (result != raw.SQLITE_DONE)
                SqliteException.ThrowExceptionForRC(result, connection.Handle);
            return (null, 0);
        }
        finally
        {
            raw.sqlite3_reset(get); // repeats the step's result
        }
    }

    public void Set(ResponseKey key, ReadOnlyMemory<byte> json, long size, long now)
    {
        set.Parameters[0].Value = key.ToArray();
        set.Parameters[1].Value = size;
        set.Parameters[2].Value = now;
        set.Parameters[3].Value = json.ToArray();
        set.ExecuteNonQuery();
    }

    public void Touch(IReadOnlyDictionary<ResponseKey, long> uses)
    {
        if (uses.Count == 0)
            return;
        using var transaction = connection.BeginTransaction();
        touch.Transaction = transaction;
        foreach (var (key, now) in uses)
        {
            touch.Parameters[0].Value = key.ToArray();
            touch.Parameters[1].Value = now;
            touch.ExecuteNonQuery();
        }

        transaction.Commit();
        touch.Transaction = null;
    }

    public bool Remove(ResponseKey key)
    {
        using var remove = Command("DELETE FROM responses WHERE key = $key", "$key");
        remove.Parameters[0].Value = key.ToArray();
        return remove.ExecuteNonQuery() > 0;
    }

    public bool Clear()
    {
        Execute(connection, "DELETE FROM responses");
        Execute(connection, "PRAGMA incremental_vacuum");
        return true;
    }

    public long CountBytes() => Scalar(connection, "SELECT coalesce(sum(size), 0) FROM responses");

    public long CountEntries() => Scalar(connection, "SELECT count(*) FROM responses");

    /// <summary>Removes the least recently used entries that together hold at least the given bytes; gives the bytes that are left.</summary>
    public long Evict(long surplus)
    {
        using (var transaction = connection.BeginTransaction())
        {
            using var remove = Command(
                """
                DELETE FROM responses WHERE id IN (
                    SELECT id FROM (SELECT id, sum(size) OVER (ORDER BY accessed, id) - size AS before FROM responses) WHERE before < $surplus)
                """, "$surplus");
            remove.Transaction = transaction;
            remove.Parameters[0].Value = surplus;
            remove.ExecuteNonQuery();
            transaction.Commit();
        }

        Execute(connection, "PRAGMA incremental_vacuum");
        return CountBytes();
    }

    public ImmutableArray<SqliteRow> ReadPage(long after, int count)
    {
        using var page = Command("SELECT id, key, json FROM responses WHERE id > $after ORDER BY id LIMIT $count", "$after", "$count");
        page.Parameters[0].Value = after;
        page.Parameters[1].Value = count;
        using var reader = page.ExecuteReader();
        var rows = ImmutableArray.CreateBuilder<SqliteRow>();
        while (reader.Read())
            rows.Add(new(reader.GetInt64(0), new(reader.GetFieldValue<byte[]>(1)), reader.GetFieldValue<byte[]>(2)));
        return rows.ToImmutable();
    }

    public void Dispose()
    {
        get.Dispose();
        set.Dispose();
        touch.Dispose();
        connection.Dispose();
    }

    // Nobody writes such a file, so that it can be read without locks and journals, which would be files beside it. Where another process does write
    // (it has left a journal), its locks count.
    private static SqliteFile OpenToRead(string path, TimeSpan busyTimeout)
    {
        var isIdle = !File.Exists(path + "-wal");
        var address = path.Replace("%", "%25", StringComparison.Ordinal).Replace("?", "%3f", StringComparison.Ordinal)
            .Replace("#", "%23", StringComparison.Ordinal).Replace('\\', '/');
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = isIdle ? $"file:{(address[0] == '/' ? "//" : "///")}{address}?immutable=1" : path,
            Mode = SqliteOpenMode.ReadOnly,
            Pooling = false,
            DefaultTimeout = Math.Max(1, (int)Math.Ceiling(busyTimeout.TotalSeconds)),
        }.ToString());
        try
        {
            connection.Open();
            Execute(connection, "PRAGMA query_only = 1");
            if (Scalar(connection, "PRAGMA application_id") != ApplicationId || Scalar(connection, "PRAGMA user_version") != SchemaVersion)
                throw new LMConfigurationException(
                    $"{path} is read-only and no response cache of this version of Hone. Give the cache a file of its own, or make it writable.");
            return new(connection, isReadOnly: true);
        }
        catch (SqliteException error)
        {
            connection.Dispose();
            throw new LMConfigurationException(
                $"The response cache {path} is read-only and cannot be read: {error.Message} Record it anew, or check its permissions.", error);
        }
        catch (Exception)
        {
            connection.Dispose();
            throw;
        }
    }

    // Null when the file is a response cache of another version, or its mark is damaged.
    private static SqliteFile? Open(string path, TimeSpan busyTimeout)
    {
        OwnerOnlyFile.Prepare(path);
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Pooling = false,
            DefaultTimeout = Math.Max(1, (int)Math.Ceiling(busyTimeout.TotalSeconds)),
        }.ToString());
        try
        {
            connection.Open();
            Execute(connection, string.Create(CultureInfo.InvariantCulture, $"PRAGMA busy_timeout = {(long)busyTimeout.TotalMilliseconds}"));
            var isEmpty = Scalar(connection, "SELECT count(*) FROM sqlite_master") == 0;
            var owner = Scalar(connection, "PRAGMA application_id");
            if (!isEmpty && owner != ApplicationId && Scalar(connection, "SELECT count(*) FROM sqlite_master WHERE name = 'responses_by_use'") == 0)
                throw new LMConfigurationException($"{path} is another program's database, not a response cache. Give the cache a file of its own.");
            if (!isEmpty && (owner != ApplicationId || Scalar(connection, "PRAGMA user_version") != SchemaVersion))
            {
                connection.Dispose();
                return null;
            }

            if (isEmpty)
                Execute(connection, "PRAGMA auto_vacuum = INCREMENTAL");
            Execute(connection, "PRAGMA journal_mode = WAL");
            Execute(connection, "PRAGMA synchronous = NORMAL");
            Execute(connection, "PRAGMA cache_size = -16384"); // KiB
            if (isEmpty)
                Create(connection);
            OwnerOnlyFile.Restrict(path);
            return new(connection, isReadOnly: false);
        }
        catch (Exception)
        {
            connection.Dispose();
            throw;
        }
    }

    private static void Create(SqliteConnection connection)
    {
        using var transaction = connection.BeginTransaction();
        using var create = connection.CreateCommand();
        create.Transaction = transaction;
        create.CommandText = string.Create(
            CultureInfo.InvariantCulture, $"{Schema}\nPRAGMA application_id = {ApplicationId}; PRAGMA user_version = {SchemaVersion};");
        create.ExecuteNonQuery();
        transaction.Commit();
    }

    private static string SetAside(string path, TimeProvider time)
    {
        var stamp = time.GetUtcNow().ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        var aside = $"{path}.corrupt-{stamp}";
        for (var number = 2; File.Exists(aside); number++)
            aside = $"{path}.corrupt-{stamp}-{number}";
        foreach (var suffix in OwnerOnlyFile.Suffixes)
        {
            try
            {
                File.Move(path + suffix, aside + suffix);
            }
            catch (FileNotFoundException) when (suffix.Length > 0 || !File.Exists(path))
            {
                continue; // there is no journal, or another process was first
            }
        }

        return aside;
    }

    private bool IsSound()
    {
        using var check = connection.CreateCommand();
        check.CommandText = "PRAGMA quick_check(1)";
        return check.ExecuteScalar() is "ok";
    }

    private SqliteCommand Command(string text, params ReadOnlySpan<string> parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = text;
        foreach (var name in parameters)
            command.Parameters.Add(new SqliteParameter { ParameterName = name });
        return command;
    }

    private static void Execute(SqliteConnection connection, string text)
    {
        using var command = connection.CreateCommand();
        command.CommandText = text;
        command.ExecuteNonQuery();
    }

    private static long Scalar(SqliteConnection connection, string text)
    {
        using var command = connection.CreateCommand();
        command.CommandText = text;
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }
}
