namespace Hone;

/// <summary>Where a row stands, for errors.</summary>
/// <param name="File">The file.</param>
/// <param name="Number">Line or record, from 1.</param>
/// <param name="IsRecord">True where records are counted because the format has no lines.</param>
public readonly record struct DataPlace(string File, long Number, bool IsRecord = false)
{
    /// <summary>File and line, or record.</summary>
    public override string ToString() => $"{File}, {(IsRecord ? "record" : "line")} {Number}";
}

/// <summary>One row of a file: its fields as canonical values, and where it stands.</summary>
/// <param name="Fields">Values by column. CSV gives texts, JSON and Parquet what the file says.</param>
/// <param name="Place">Where the row stands.</param>
public sealed record DataRow(FieldMap Fields, DataPlace Place)
{
    /// <summary>The text of a field.</summary>
    /// <exception cref="DataFileException">There is no such field, or it is not text.</exception>
    public string Text(string name) => Value(name) as string
        ?? throw new DataFileException($"the field '{name}' should be text, found {FieldConstraints.Shorten(Value(name))}", Place);

    /// <summary>The value of a field.</summary>
    /// <exception cref="DataFileException">There is no such field; the message lists those that exist.</exception>
    public object? Value(string name) => Fields.TryGetValue(name, out var value)
        ? value
        : throw new DataFileException($"there is no field '{name}'; fields: {(Fields.Count == 0 ? "none" : string.Join(", ", Fields.Keys))}", Place);
}

/// <summary>A file of data is not what it should be. The message has file, line or record, and column.</summary>
public sealed class DataFileException : HoneException
{
    /// <summary>Creates the error.</summary>
    /// <param name="reason">What is wrong, and what would be right.</param>
    /// <param name="place">File and line.</param>
    /// <param name="column">Character in the line, from 1; 0 when unknown.</param>
    /// <param name="innerException">The cause.</param>
    public DataFileException(string reason, DataPlace place, int column = 0, Exception? innerException = null)
        : base($"{place}{(column > 0 ? $", column {column}" : "")}: {reason}.", innerException) => (Place, Column) = (place, column);

    /// <summary>File and line.</summary>
    public DataPlace Place { get; }

    /// <summary>Character in the line, from 1; 0 when unknown.</summary>
    public int Column { get; }
}

/// <summary>Reads rows of one format; a package with another format brings one.</summary>
public interface IRowReader
{
    /// <summary>True when the file is of this format, by its name.</summary>
    bool CanRead(string path);

    /// <summary>The rows, read as they are asked for.</summary>
    /// <exception cref="DataFileException">The file cannot be read.</exception>
    IAsyncEnumerable<DataRow> ReadAsync(string path, CancellationToken cancellationToken = default);
}
