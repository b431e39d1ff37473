using Docs.Tests.Checks;
using Hone;

namespace Docs.Tests.Snippets.Data;

#region data-records
public sealed record Review(string Text);

public sealed record Rating(int Stars);
#endregion

public sealed class DataTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Files_BecomeExamples()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "reviews.csv");
        await File.WriteAllTextAsync(path, "id,text,stars,lang\n1,\"Good, really\",5,en\n2,Bad,1,en\n", Token);
        #region data-first
        var roles = FieldRoles.WithInputs("text").WithExpected("stars").WithId("id");                   // what is left becomes labels
        var examples = await DataFiles.ReadAsync(path).AsExamples(roles).ToListAsync();
        #endregion
        Assert.Equal(("1", "5", "en"), (examples[0].Id, examples[0].Expected["stars"], examples[0].Labels["lang"]));
        #region data-typed
        var typed = await DataFiles.ReadAsync(path).AsExamples<Review, Rating>("id").ToListAsync();     // Stars is read as a number
        #endregion
        Assert.Equal(new Rating(5), typed[0].Expected);
        var many = Enumerable.Range(0, 40).ToArray();
        #region data-split
        var split = Sampling.Split(many, train: 0.5, validation: 0.25, test: 0.25, seed: 1);
        var stable = Sampling.SplitByKey(typed, example => example.Id!, train: 0.8, validation: 0.1);    // stays when rows are added
        #endregion
        Assert.Equal((20, 2), (split.Train.Length, stable.Train.Length + stable.Validation.Length + stable.Test.Length));
    }

    [Fact]
    public async Task Directories_AreRead()
    {
        using var folder = new TemporaryFolder();
        var directory = folder.Path;
        await File.WriteAllTextAsync(Path.Combine(directory, "train.jsonl"), """{"question": "6 times 7?", "answer": "It is 42.\n#### 42"}""", Token);
        #region data-hub
        var set = HubDataset.Open(directory, null, ParquetRows.Reader);      // the reader is in the package Hone.Datasets.Parquet
        var examples = await Corpus.Gsm8k.ReadAsync(set.ReadAsync("train")).ToListAsync();
        var evaluator = Evaluator.Create(CorpusMetrics.Gsm8k);
        #endregion
        Assert.Equal("42", examples[0].Expected["answer"]);
        Assert.Equal(1, (await evaluator.EvaluateAsync(Predict.Parse("question -> answer").WithModel(Answers.Always(("answer", "42"))), examples, Token)).Mean);
    }
}
