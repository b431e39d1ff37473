using System.Runtime.CompilerServices;

namespace Hone;

/// <summary>
/// The format of a well-known set: rows of its files, as they are published, become examples. Nothing is downloaded: you give the file, or a directory
/// through <see cref="HubDataset"/>.
/// </summary>
public sealed class Corpus
{
    private readonly Func<DataRow, Example<FieldMap, FieldMap>> convert;

    private Corpus(string name, string signature, Func<DataRow, Example<FieldMap, FieldMap>> convert) => (Name, Signature, this.convert) = (name, signature, convert);

    /// <summary>HotPotQA: questions over several articles. Labels: <c>type</c>, <c>level</c>, <c>gold_titles</c> and, where the file has passages, <c>passages</c>.</summary>
    public static Corpus HotPotQA { get; } = new("HotPotQA", "question -> answer", HotPotQaRows.ToExample);

    /// <summary>GSM8K: word problems. The expected answer is the number behind <c>####</c>; label: <c>gold_reasoning</c>.</summary>
    public static Corpus Gsm8k { get; } = new("GSM8K", "question -> answer", MathRows.FromGsm8k);

    /// <summary>MATH: competition problems. The expected answer is what the solution boxes; labels: <c>gold_reasoning</c>, <c>level</c>, <c>type</c>.</summary>
    public static Corpus Math { get; } = new("MATH", "question -> answer", MathRows.FromMath);

    /// <summary>HoVer: claims over several articles, whose titles are to be found. Labels: <c>label</c>, <c>num_hops</c>.</summary>
    public static Corpus Hover { get; } = new("HoVer", "claim -> titles: list[str]", RetrievalRows.FromHover);

    /// <summary>PUPA: requests with private details. Labels: <c>pii</c> (a list), <c>redacted_query</c>, <c>category</c>.</summary>
    public static Corpus Pupa { get; } = new("PUPA", "user_query -> response", RetrievalRows.FromPupa);

    /// <summary>Banking77: messages of customers and their intents.</summary>
    public static Corpus Banking77 { get; } = new("Banking77", "text -> category", RetrievalRows.FromBanking);

    /// <summary>What the set is called.</summary>
    public string Name { get; }

    /// <summary>The signature that its examples fit.</summary>
    public string Signature { get; }

    /// <summary>The examples of a file.</summary>
    /// <exception cref="DataFileException">The file is broken or of another set; the message has file and line.</exception>
    public IAsyncEnumerable<Example<FieldMap, FieldMap>> ReadAsync(string path, CancellationToken cancellationToken = default) =>
        ReadAsync(DataFiles.ReadAsync(path, default, cancellationToken), cancellationToken);

    /// <summary>The examples of rows, e.g. of a <see cref="HubDataset"/> or a Parquet file.</summary>
    /// <exception cref="DataFileException">A row is of another set; the message has file and line.</exception>
    public async IAsyncEnumerable<Example<FieldMap, FieldMap>> ReadAsync(
        IAsyncEnumerable<DataRow> rows, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(rows);
        await foreach (var row in rows.WithCancellation(cancellationToken).ConfigureAwait(false))
            yield return ToExample(row);
    }

    /// <summary>One row as an example.</summary>
    /// <exception cref="DataFileException">The row is of another set; the message has file and line.</exception>
    public Example<FieldMap, FieldMap> ToExample(DataRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        return convert(row);
    }

    /// <summary>The name.</summary>
    public override string ToString() => Name;
}
