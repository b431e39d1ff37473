using Hone;
using Hone.Retrieval;

/// <summary>Changes an index on disk until it is killed: ten documents come, five of those before the last go; each change is a line of the output once it is made.</summary>
internal static class IndexTarget
{
    public static void Run(string folder)
    {
        using var retriever = new LuceneRetriever(new() { Directory = folder });
        for (var change = 0; change < 1000; change++)
        {
            retriever.Add(Enumerable.Range(0, 10).Select(i => new SearchDocument($"d{change}-{i}", $"batch{change} same words")));
            Console.Out.WriteLine($"added {change}");
            if (change > 0)
                retriever.Delete(Enumerable.Range(0, 5).Select(i => $"d{change - 1}-{i}"));
            Console.Out.WriteLine($"deleted {change - 1}");
        }
    }
}
