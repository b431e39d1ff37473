using PrivateDelegation;

namespace Samples.Tests.Privacy;

public sealed class PupaFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hone-pupa").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>The real file, where it lies beside the checkout.</summary>
    [Fact]
    public void Read_TheRealFile_GivesTheTutorialsSplit()
    {
        var path = Find("pupa_new.jsonl");
        Assert.SkipWhen(path is null, "The PUPA file is not here: set HONE_DATA to its folder.");
        var data = Dataset.Read(path!);
        var count = File.ReadLines(path!).Count(line => line.Length > 0);
        var share = count > 450 ? 225 : count / 3;
        Assert.Equal((share, share, count - (2 * share)), (data.Train.Count, data.Validation.Count, data.Test.Count));
        Assert.All(data.Train, example => Assert.NotEmpty(example.Input.Text));
        Assert.Contains(data.Train, example => example.Expected.Details.Count > 1);
    }

    [Fact]
    public void Read_LineWithoutAField_NamesFileLineAndField()
    {
        var path = Path.Combine(folder, "data.jsonl");
        File.WriteAllText(path, """{"user_query": "q", "target_response": "t"}""");
        var error = Assert.Throws<HoneException>(() => Dataset.Read(path));
        Assert.Contains("line 1 has no text 'pii_units'", error.Message, StringComparison.Ordinal);
    }

    internal static string? Find(string file)
    {
        if (Environment.GetEnvironmentVariable("HONE_DATA") is { } given)
            return Path.Combine(given, file);
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var path = Path.Combine(folder.FullName, "shared", "data", file);
            if (File.Exists(path))
                return path;
        }

        return null;
    }
}
