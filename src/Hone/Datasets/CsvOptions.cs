using System.Collections.Immutable;

namespace Hone;

/// <summary>How a CSV file is read.</summary>
public sealed record CsvOptions
{
    /// <summary>What stands between cells.</summary>
    /// <value>A comma by default.</value>
    public char Delimiter { get; init; } = ',';

    /// <summary>Names of the columns of a file that has no header; the default takes the first record as the header.</summary>
    public ImmutableArray<string> Columns { get; init; } = [];
}
