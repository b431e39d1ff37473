using System.Collections.Immutable;
using System.Globalization;
using Hone.Retrieval;
using Spectre.Console;

namespace MultiHopResearch.Hover;

/// <summary>A corpus of abstracts, five million of them in the tutorial's: indexed on disk once, then opened.</summary>
internal static class CorpusIndex
{
    private const int TellEvery = 250_000;
    private const string SourceFile = "source.txt";

    /// <summary>Opens the index, or makes it. An interrupted making leaves nothing that could be taken for an index.</summary>
    /// <exception cref="HoneException">The folder holds the index of another file, or the file is no corpus.</exception>
    public static LuceneRetriever Open(string corpus, string folder, CancellationToken cancellationToken)
    {
        if (!File.Exists(corpus))
            throw new HoneException($"There is no corpus '{corpus}'.");
        var source = string.Create(CultureInfo.InvariantCulture, $"{Path.GetFileName(corpus)} {new FileInfo(corpus).Length}");
        if (!Directory.Exists(folder))
            Make(corpus, source, folder, cancellationToken);
        else if (!File.Exists(Path.Combine(folder, SourceFile)) || File.ReadAllText(Path.Combine(folder, SourceFile)) != source)
            throw new HoneException($"'{folder}' is not the index of {corpus} as it is now. Delete it, or name another folder with --index.");
        return new(new() { Directory = IndexIn(folder) });
    }

    private static void Make(string corpus, string source, string folder, CancellationToken cancellationToken)
    {
        var unfinished = folder + ".unfinished";
        if (Directory.Exists(unfinished))
            Directory.Delete(unfinished, recursive: true);
        using (var index = new LuceneRetriever(new() { Directory = IndexIn(unfinished) }))
        {
            index.Add(Told(DataFiles.ReadJsonLinesAsync(corpus, cancellationToken).ToBlockingEnumerable(cancellationToken).Select(ToArticle)));
            if (index.Count == 0)
                throw new HoneException($"{corpus} holds no articles.");
        }

        File.WriteAllText(Path.Combine(unfinished, SourceFile), source);
        Directory.Move(unfinished, folder);
    }

    private static string IndexIn(string folder) => Path.Combine(folder, "index");

    private static IEnumerable<SearchDocument> Told(IEnumerable<SearchDocument> articles)
    {
        var count = 0;
        foreach (var article in articles)
        {
            yield return article;
            if (++count % TellEvery == 0)
                AnsiConsole.MarkupLineInterpolated($"indexing   {count:N0} articles");
        }
    }

    private static SearchDocument ToArticle(DataRow row) => new(row.Text("title"), row.Value("text") switch
    {
        string text => text,
        ImmutableArray<object?> sentences when sentences.All(sentence => sentence is string) => string.Join(' ', sentences.Select(sentence => ((string)sentence!).Trim())),
        _ => throw new DataFileException("the field 'text' should be text or a list of sentences", row.Place),
    });
}
