using System.Text.Json;
using CsCheck;

namespace Hone.Engine.Tests.Tokens;

public sealed class BpeTrainerTests
{
    [Fact]
    public void Train_SameCorpus_GivesTheSameFile() =>
        Assert.Equal(SmallTokenizer.Json, BpeTrainer.Train(SmallTokenizer.Corpus(), new BpeTrainerOptions { VocabularySize = 500 }));

    [Fact]
    public void Train_VocabularySize_IsExact()
    {
        Assert.Equal(500, SmallTokenizer.Instance.VocabularySize);
        Assert.Equal(499, SmallTokenizer.Instance.IdOf("<|im_end|>"));
        Assert.True(SmallTokenizer.Instance.IsSpecial(499));
    }

    [Fact]
    public void Train_FrequentWord_BecomesOneToken() => Assert.Single(SmallTokenizer.Instance.Encode(" quick"));

    [Fact]
    public void Train_FirstMerge_IsTheMostFrequentPair()
    {
        var json = BpeTrainer.Train(new Dictionary<string, long> { ["abab"] = 3, ["cd"] = 5 }, new BpeTrainerOptions { VocabularySize = 261 });
        using var document = JsonDocument.Parse(json);
        var merges = document.RootElement.GetProperty("model").GetProperty("merges").EnumerateArray().Select(merge => merge.GetString()).ToArray();
        Assert.Equal(["a b", "c d"], merges);
    }

    [Fact]
    public void Train_CorpusTooSmall_SaysSo()
    {
        var error = Assert.Throws<ArgumentException>(() => BpeTrainer.Train(["tiny"], new BpeTrainerOptions { VocabularySize = 9000 }));
        Assert.Contains("9000", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void RoundTrip_AnyText_IsLossless()
    {
        // Scalar values only: a lone surrogate has no UTF-8. Form C is what the tokenizer sees.
        var text = Gen.OneOf(Gen.Int[0, 0x2FF], Gen.Int[0x20, 0x7E], Gen.Int[0x300, 0xD7FF], Gen.Int[0xE000, 0x10FFFF]).Array[0, 60]
            .Select(points => string.Concat(points.Select(char.ConvertFromUtf32)));
        text.Sample(original =>
        {
            var composed = CanonicalComposition.Normalize(original);
            Assert.Equal(composed, SmallTokenizer.Instance.Decode(SmallTokenizer.Instance.Encode(original)));
        }, iter: 3000);
    }

    [Fact]
    public void Train_RandomCorpora_RoundTripAndNeverGrow()
    {
        Gen.String[Gen.Char[' ', 'z'], 1, 40].Array[3, 20].Sample(texts =>
        {
            var counts = texts.GroupBy(text => text).ToDictionary(group => group.Key, group => (long)group.Count() * 3);
            var longest = texts.Sum(text => text.Length);
            var json = BpeTrainer.Train(counts, new BpeTrainerOptions { VocabularySize = 260 + Math.Min(3, longest / 40), MinimumFrequency = 1 });
            var tokenizer = Tokenizer.Load(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(json)));
            foreach (var text in texts)
            {
                var ids = tokenizer.Encode(text);
                Assert.True(ids.Length <= text.Length);
                Assert.Equal(text, tokenizer.Decode(ids));
            }
        }, iter: 100);
    }
}
