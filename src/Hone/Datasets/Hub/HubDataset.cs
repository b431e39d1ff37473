using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Hone;

/// <summary>
/// A directory as Hugging Face lays out data sets, read from disk: <c>data/train-00000-of-00002.parquet</c>, <c>train.jsonl</c>, <c>train/*.csv</c>, a folder
/// a configuration, with or without <c>dataset_info.json</c>.
/// </summary>
public sealed class HubDataset
{
    private readonly ImmutableArray<IRowReader> readers;
    private readonly HubInfo info;

    private HubDataset(string path, ImmutableSortedDictionary<string, ImmutableArray<string>> splits, HubInfo info, ImmutableArray<IRowReader> readers) =>
        (Path, Splits, this.info, this.readers) = (path, splits, info, readers);

    /// <summary>The directory.</summary>
    public string Path { get; }

    /// <summary>Files by split, in order: <c>train</c>, <c>validation</c>, <c>test</c> and what else there is.</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<string>> Splits { get; }

    /// <summary>How many rows <c>dataset_info.json</c> says that a split has; null when it does not say.</summary>
    public long? CountOf(string split) => info.Counts.TryGetValue(split, out var count) ? count : null;

    /// <summary>The names of a class label by its numbers, from <c>dataset_info.json</c>; empty for other fields.</summary>
    public ImmutableArray<string> ClassNames(string field) => info.ClassNames.GetValueOrDefault(field, []);

    /// <summary>Finds the files of a directory.</summary>
    /// <param name="path">The directory.</param>
    /// <param name="configuration">The folder of one configuration, for sets that have several; null without.</param>
    /// <param name="readers">Readers of further formats, e.g. <c>ParquetRows.Reader</c> of the package Hone.Datasets.Parquet.</param>
    /// <exception cref="HoneException">There is no file of a split, or shards are missing; the message lists what was found.</exception>
    public static HubDataset Open(string path, string? configuration = null, params ImmutableArray<IRowReader> readers)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!Directory.Exists(path))
            throw new HoneException($"There is no directory {path}. Download the data set, e.g. with `hf download --repo-type dataset`, and give its folder.");
        if (File.Exists(System.IO.Path.Combine(path, "dataset_dict.json")) || File.Exists(System.IO.Path.Combine(path, "state.json")))
            throw new HoneException($"{path} was written by save_to_disk, whose Arrow files have no reader here: export it with to_parquet or to_json.");
        return new(path, HubLayout.Find(path, configuration), HubInfo.Read(path, configuration), readers);
    }

    /// <summary>The rows of a split, file by file, read as they are asked for. Class labels are given by name where the directory has their names.</summary>
    /// <exception cref="HoneException">There is no such split, or no reader of its format.</exception>
    /// <exception cref="DataFileException">A file is broken, or the split has another number of rows than <c>dataset_info.json</c> says.</exception>
    public async IAsyncEnumerable<DataRow> ReadAsync(string split, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (!Splits.TryGetValue(split, out var files))
            throw new HoneException($"{Path} has no split '{split}'. It has: {string.Join(", ", Splits.Keys)}.");
        long count = 0;
        foreach (var file in files)
        {
            await foreach (var row in DataFiles.ReadAsync(file, readers, cancellationToken).ConfigureAwait(false))
            {
                count++;
                yield return info.ClassNames.IsEmpty ? row : Named(row);
            }
        }

        if (CountOf(split) is { } expected && expected != count)
            throw new DataFileException($"the split '{split}' ends after {count} rows, and dataset_info.json says {expected}: a file is missing or cut", new(files[^1], count, IsRecord: true));
    }

    private DataRow Named(DataRow row)
    {
        var fields = row.Fields;
        foreach (var (name, classes) in info.ClassNames)
        {
            if (!fields.TryGetValue(name, out var value) || value is not long number)
                continue;
            fields = number >= 0 && number < classes.Length
                ? fields.With(name, classes[(int)number])
                : number == -1 ? fields.With(name, null) // The set's sign for a label that is not told.
                : throw new DataFileException($"the field '{name}' is class {number}, and there are {classes.Length} classes", row.Place);
        }

        return ReferenceEquals(fields, row.Fields) ? row : row with { Fields = fields };
    }
}
