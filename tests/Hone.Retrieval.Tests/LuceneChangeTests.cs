using System.Diagnostics;
using CsCheck;

namespace Hone.Retrieval.Tests;

/// <summary>Documents that come, change and go while others search.</summary>
public sealed class LuceneChangeTests : IDisposable
{
    private static readonly string[] Words = ["red", "blue", "river", "mill", "fox", "hen", "running", "bridge"];

    private readonly string folder = Directory.CreateTempSubdirectory("hone-retrieval-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Delete_ById_RemovesEveryDocumentOfTheId()
    {
        using var retriever = new LuceneRetriever();
        retriever.Add(new SearchDocument("a", "red fox"), new SearchDocument("a", "red hen"), new SearchDocument("b", "red mill", "c"));
        retriever.Delete("a", "b", "unknown");
        Assert.Equal(["c"], retriever.Search("red", 9).Select(hit => hit.Id));
        Assert.Equal(1, retriever.Count);
    }

    /// <summary>Documents without id and title are called by their numbers, as in an <see cref="EmbeddingIndex"/>: none stands for another.</summary>
    [Fact]
    public void Untitled_AreNumbered_AndReplaceNothing()
    {
        using (var retriever = new LuceneRetriever(new() { Directory = folder }))
        {
            retriever.Add(new SearchDocument("", "red fox"), new SearchDocument("t", "red hen"), new SearchDocument("", "red mill"));
            Assert.Equal(["0", "t", "2"], retriever.Search("red", 9).Select(hit => hit.Id));
            retriever.Replace(new SearchDocument("", "red owl"));
            Assert.Equal(["0", "t", "2", "3"], retriever.Search("red", 9).Select(hit => hit.Id));
            retriever.Delete("0", "2", "3");
            Assert.Equal(["t"], retriever.Search("red", 9).Select(hit => hit.Id));
        }

        // Numbers are not given twice, whatever was deleted before the index was closed.
        using var again = new LuceneRetriever(new() { Directory = folder });
        again.Add(new SearchDocument("", "red cat"));
        Assert.Equal(["t", "4"], again.Search("red", 9).Select(hit => hit.Id));
    }

    [Fact]
    public void Replace_SameId_ReturnsTheNewDocumentOnly()
    {
        using var retriever = new LuceneRetriever();
        retriever.Add(new SearchDocument("old", "red fox", "1"), new SearchDocument("other", "red hen", "2"));
        Assert.Equal(["old", "other"], retriever.Search("red", 9).Select(hit => hit.Title));
        retriever.Replace(new SearchDocument("new", "red fox", "1"), new SearchDocument("third", "red owl", "3"));
        Assert.Equal(["other", "new", "third"], retriever.Search("red", 9).Select(hit => hit.Title));
        Assert.Equal(3, retriever.Count);
    }

    [Fact]
    public void Search_AfterAnyChanges_IsThatOfAnIndexOfWhatIsLeft()
    {
        var text = Gen.Int[0, Words.Length - 1].Select(i => Words[i]).Array[0, 6].Select(words => string.Join(' ', words));
        var change = Gen.Select(Gen.Int[0, 2], Gen.Int[0, 9], text);
        Gen.Select(change.Array[1, 40], text).Sample(
            (changes, query) =>
            {
                using var retriever = new LuceneRetriever();
                var left = new List<SearchDocument>();
                foreach (var (kind, number, words) in changes)
                {
                    var document = new SearchDocument("", $"{words} n{left.Count}", $"{number}");
                    if (kind > 0)
                        left.RemoveAll(each => each.Id == document.Id);
                    if (kind < 2)
                        left.Add(document);
                    Action apply = kind switch { 0 => () => retriever.Add(document), 1 => () => retriever.Replace(document), _ => () => retriever.Delete(document.Id!) };
                    apply();
                }

                using var fresh = new LuceneRetriever();
                fresh.Add(left);
                Assert.Equal(left.Count, retriever.Count);
                Assert.Equal(fresh.Search(query, 50), retriever.Search(query, 50));
            },
            iter: 60);
    }

    [Fact]
    public async Task Search_WhileOthersWrite_SeesWholeChangesOnly()
    {
        const int batches = 60;
        using var retriever = new LuceneRetriever();
        var writing = Task.Run(() =>
        {
            for (var batch = 0; batch < batches; batch++)
            {
                retriever.Add(Enumerable.Range(0, 10).Select(i => new SearchDocument($"d{batch}-{i}", "same words")));
                if (batch > 0)
                    retriever.Delete(Enumerable.Range(0, 10).Select(i => $"d{batch - 1}-{i}"));
            }
        });
        var reading = Enumerable.Range(0, 3).Select(_ => Task.Run(() =>
        {
            var last = -1;
            while (!writing.IsCompleted)
            {
                var seen = retriever.Search("words", 100).Select(hit => int.Parse(hit.Title[1..hit.Title.IndexOf('-')])).ToList();
                if (seen.Count == 0)
                    continue;
                Assert.All(seen.GroupBy(batch => batch), batch => Assert.Equal(10, batch.Count()));
                Assert.True(seen.Count <= 20 && seen.Max() >= last);
                last = seen.Max();
            }
        })).ToArray();
        await Task.WhenAll([writing, .. reading]);
        Assert.Equal(10, retriever.Count);
    }

    [Fact]
    public void Add_SequenceThatThrows_KeepsTheIndexUsable()
    {
        using var retriever = new LuceneRetriever();
        Assert.Throws<FormatException>(() => retriever.Add(Broken()));
        retriever.Add(new SearchDocument("b", "red hen"));
        Assert.Equal(["a", "b"], retriever.Search("red", 9).Select(hit => hit.Title));

        static IEnumerable<SearchDocument> Broken()
        {
            yield return new("a", "red fox");
            throw new FormatException();
        }
    }

    [Fact]
    public void Directory_OtherAnalysis_IsRefusedAndNamed()
    {
        using (var first = new LuceneRetriever(new() { Directory = folder, Stem = false }))
            first.Add(new SearchDocument("a", "running"));
        var error = Assert.Throws<HoneException>(() => new LuceneRetriever(new() { Directory = folder }));
        Assert.Contains("Stem = false", error.Message, StringComparison.Ordinal);
        using var again = new LuceneRetriever(new() { Directory = folder, Stem = false, K1 = 2, B = 1 }); // scoring is the query's business
        Assert.Empty(again.Search("run", 1));
        Assert.Single(again.Search("running", 1));
    }

    [Fact]
    public void Directory_ChangesAndReopened_KeepsWhatIsLeft()
    {
        var options = new LuceneOptions { Directory = folder };
        using (var first = new LuceneRetriever(options))
        {
            first.Add(Enumerable.Range(0, 500).Select(i => new SearchDocument($"d{i}", $"red n{i}")));
            first.Delete(Enumerable.Range(0, 250).Select(i => $"d{i * 2}"));
            first.Replace(new SearchDocument("changed", "red again", "d1"));
        }

        using var second = new LuceneRetriever(options);
        Assert.Equal(250, second.Count);
        Assert.Equal([.. Enumerable.Range(1, 249).Select(i => $"d{(i * 2) + 1}"), "d1"], second.Search("red", 500).Select(hit => hit.Id));
    }

    [Fact]
    public async Task Directory_ProcessKilled_HoldsEveryFinishedChangeWhole()
    {
        var random = new Random(5);
        for (var round = 0; round < 4; round++)
        {
            var path = Path.Combine(folder, $"{round}");
            var (added, deleted) = await KillAsync(path, after: random.Next(1, 12));
            using var retriever = new LuceneRetriever(new() { Directory = path });
            var found = retriever.Search("words", 100_000).Select(hit => hit.Id).ToHashSet();
            // What was reported is there; the change under way is there wholly or not at all.
            for (var change = 0; change <= added; change++)
            {
                var left = Enumerable.Range(0, 10).Count(i => found.Contains($"d{change}-{i}"));
                Assert.True(change <= deleted ? left == 5 : left is 5 or 10, $"{left} of change {change} are left, {deleted} were reported");
            }

            var next = Enumerable.Range(0, 10).Count(i => found.Contains($"d{added + 1}-{i}"));
            Assert.True(next is 0 or 10);
            retriever.Add(new SearchDocument("after", "another word"));
            Assert.Single(retriever.Search("another", 9));
        }
    }

    private static async Task<(int Added, int Deleted)> KillAsync(string folder, int after)
    {
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var tests = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Parent!.Parent!.Parent!.FullName;
        var program = Path.Combine(tests, "Hone.KillTarget", "bin", configuration, "net10.0", "Hone.KillTarget.dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [program, "index", folder]) { RedirectStandardOutput = true })!;
        var (added, deleted, isKilled) = (-1, -1, false);
        for (var lines = 0; await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line; lines++)
        {
            var words = line.Split(' ');
            (added, deleted) = words[0] == "added" ? (int.Parse(words[1]), deleted) : (added, int.Parse(words[1]));
            if (lines >= after && !isKilled)
            {
                process.Kill();
                isKilled = true;
            }
        }

        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(isKilled);
        return (added, deleted);
    }
}
