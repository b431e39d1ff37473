using Samples.Tests.Privacy;

namespace Samples.Tests;

public sealed class BankingDatasetTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("hone-banking").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Mini_Sets_DoNotOverlapWhereTheyAreReported()
    {
        var set = Banking77.Dataset.Mini(1);
        Assert.Equal((400, 200), (set.Test.Count, set.Validation.Count));
        Assert.Empty(set.Test.Select(row => row.Input.Text).Intersect(set.Imitate.Concat(set.Validation).Select(row => row.Input.Text)));
        Assert.Equal(42, set.Imitate.Select(row => row.Expected.Category).Distinct().Count());
        Assert.Equal(set.Test.Select(row => row.Input), Banking77.Dataset.Mini(1).Test.Select(row => row.Input));
        Assert.NotEqual(set.Test.Select(row => row.Input), Banking77.Dataset.Mini(2).Test.Select(row => row.Input));
    }

    /// <summary>The real file, where it lies beside the checkout.</summary>
    [Fact]
    public void Read_TheRealFile_KeepsEveryRowAndIntent()
    {
        var path = PupaFileTests.Find("banking77_train.csv");
        Assert.SkipWhen(path is null, "The Banking77 file is not here: set HONE_DATA to its folder.");
        var set = Banking77.Dataset.Read(path!, 1);
        Assert.Equal(10_003, set.Imitate.Count + set.Validation.Count + set.Test.Count);
        Assert.Equal(77, set.Imitate.Concat(set.Validation).Concat(set.Test).Select(row => row.Expected.Category).Distinct().Count());
        Assert.DoesNotContain(set.Imitate, row => row.Input.Text.Contains('\n', StringComparison.Ordinal) || row.Expected.Category.Contains('_', StringComparison.Ordinal));
    }

    [Fact]
    public void Read_OtherColumns_AreRefusedWithTheFilesName()
    {
        var path = Path.Combine(folder, "other.csv");
        File.WriteAllText(path, "label,message\na,b\n");
        var error = Assert.Throws<HoneException>(() => Banking77.Dataset.Read(path, 1));
        Assert.Contains("other.csv should begin with the columns text,category", error.Message, StringComparison.Ordinal);
    }
}
