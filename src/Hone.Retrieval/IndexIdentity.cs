using System.Globalization;
using Lucene.Net.Index;

namespace Hone.Retrieval;

/// <summary>What an index on disk says of its own making. Terms that were made in another way than those of the queries would be missed in silence.</summary>
internal static class IndexIdentity
{
    private const string Format = "1";
    private const string FormatKey = "hone.format";
    private const string StemKey = "hone.stem";
    private const string StopWordsKey = "hone.stopwords";
    private const string NumberedKey = "hone.numbered";

    /// <summary>Compares the options with the index, or writes them down for a new one.</summary>
    /// <exception cref="HoneException">The index was built with other options, or by a newer version.</exception>
    public static void Check(IndexWriter writer, LuceneOptions options)
    {
        if (writer.CommitData is not { Count: > 0 } known)
        {
            writer.SetCommitData(new Dictionary<string, string>
            {
                [FormatKey] = Format,
                [StemKey] = Text(options.Stem),
                [StopWordsKey] = Text(options.RemoveStopWords),
            });
            return;
        }

        if (known.TryGetValue(FormatKey, out var format) && format != Format)
            throw new HoneException($"The search index in '{options.Directory}' has format {format}; this version reads format {Format}. Build it anew, or use the version that wrote it.");
        Compare(known, StemKey, nameof(LuceneOptions.Stem), options.Stem, options);
        Compare(known, StopWordsKey, nameof(LuceneOptions.RemoveStopWords), options.RemoveStopWords, options);
    }

    /// <summary>How many documents the index has numbered, deleted ones included.</summary>
    public static long NumberedIn(IndexWriter writer) =>
        writer.CommitData is { } known && known.TryGetValue(NumberedKey, out var text) && long.TryParse(text, CultureInfo.InvariantCulture, out var number)
            ? number
            : writer.MaxDoc;

    /// <summary>Writes down with the next commit how many documents the index has numbered.</summary>
    public static void WriteNumbered(IndexWriter writer, long number) => writer.SetCommitData(
        new Dictionary<string, string>(writer.CommitData ?? new Dictionary<string, string>()) { [NumberedKey] = number.ToString(CultureInfo.InvariantCulture) });

    private static void Compare(IDictionary<string, string> known, string key, string option, bool value, LuceneOptions options)
    {
        if (known.TryGetValue(key, out var built) && built != Text(value))
            throw new HoneException($"The search index in '{options.Directory}' was built with {option} = {built}, and is opened with {Text(value)}. Open it with {option} = {built}, or build it anew.");
    }

    private static string Text(bool value) => value.ToString(CultureInfo.InvariantCulture).ToLowerInvariant();
}
