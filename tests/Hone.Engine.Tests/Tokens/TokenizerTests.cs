using System.Text;
using System.Text.Json;
using CsCheck;

namespace Hone.Engine.Tests.Tokens;

public sealed class TokenizerTests
{
    [Fact]
    public void Vectors_AllCases_Agree()
    {
        var folder = VectorsFolder.Find();
        Assert.SkipWhen(folder is null, VectorsFolder.Absent);
        var results = TokenizerVectors.Run(folder).ToList();
        Assert.NotEmpty(results);
        Assert.Equal("", string.Join('\n', results.Where(result => result.Failure is not null).Select(result => $"{result.Id}: {result.Failure}")));
    }

    [Fact]
    public void Encode_WhereImplementationsPart_FollowsTheNativeRules()
    {
        var folder = VectorsFolder.Find();
        Assert.SkipWhen(folder is null, VectorsFolder.Absent);
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "tokenizers", "disagreements.json")));
        foreach (var test in document.RootElement.GetProperty("cases").EnumerateArray())
        {
            var tokenizer = Tokenizer.Load(Path.Combine(folder, "tokenizers", test.GetProperty("tokenizer").GetString()!));
            var expected = test.GetProperty("native_rules").EnumerateArray().Select(id => id.GetInt32());
            Assert.Equal(expected, tokenizer.Encode(test.GetProperty("text").GetString()!));
        }
    }

    [Fact]
    public void Encode_SpecialTokensNotParsed_StayText()
    {
        var tokenizer = SmallTokenizer.Instance;
        Assert.Single(tokenizer.Encode("<|im_end|>"));
        var plain = tokenizer.Encode("<|im_end|>", parseSpecialTokens: false);
        Assert.True(plain.Length > 1);
        Assert.DoesNotContain(tokenizer.IdOf("<|im_end|>")!.Value, plain);
        Assert.Equal("<|im_end|>", tokenizer.Decode(plain));
    }

    [Fact]
    public void Encode_LongWord_GivesTheSameMergesAsTheScan()
    {
        // A word of 70 letters takes the heap; split in the middle of nothing mergeable it must equal the scan's result.
        var tokenizer = SmallTokenizer.Instance;
        Gen.Char['a', 'e'].Array[65, 300].Sample(letters =>
        {
            var word = new string(letters);
            Assert.Equal(ReferenceMerge(tokenizer, word), tokenizer.Encode(word));
        }, iter: 200, seed: "0000a1b2c3d4");
    }

    [Fact]
    public void Encode_VeryLongWord_IsNotQuadratic()
    {
        var word = new string('a', 400_000);
        Assert.Equal(word, SmallTokenizer.Instance.Decode(SmallTokenizer.Instance.Encode(word)));
    }

    [Fact]
    public void Encode_ManyThreads_GiveTheSameIds()
    {
        var tokenizer = SmallTokenizer.Create();
        var texts = Enumerable.Range(0, 200).Select(i => $"the {i} quick brown foxes jump over {i * 7} lazy dogs").ToArray();
        var expected = texts.Select(text => SmallTokenizer.Instance.Encode(text)).ToArray();
        Parallel.For(0, 1000, i => Assert.Equal(expected[i % 200], tokenizer.Encode(texts[i % 200])));
    }

    [Fact]
    public void Decoder_AnyIds_ConcatenatesToDecode()
    {
        var tokenizer = SmallTokenizer.Instance;
        Gen.Int[-1, tokenizer.VocabularySize + 2].Array[0, 40].Sample(ids =>
        {
            var decoder = tokenizer.CreateDecoder();
            var streamed = new StringBuilder();
            foreach (var id in ids) streamed.Append(decoder.Append(id));
            Assert.Equal(tokenizer.Decode(ids), streamed.Append(decoder.Flush()).ToString());
        }, iter: 2000);
    }

    [Fact]
    public void TextsOf_AnyIds_HasATextAnId_AndConcatenatesToDecode()
    {
        var tokenizer = SmallTokenizer.Instance;
        Gen.Int[-1, tokenizer.VocabularySize + 2].Array[0, 40].Sample(ids =>
        {
            var texts = tokenizer.TextsOf(ids);
            Assert.Equal(ids.Length, texts.Count);
            Assert.Equal(tokenizer.Decode(ids), string.Concat(texts));
        }, iter: 500);
    }

    [Fact]
    public void TextsOf_ACharacterOfSeveralTokens_StandsWithTheLastOfThem()
    {
        var tokenizer = SmallTokenizer.Instance;
        var texts = tokenizer.TextsOf(tokenizer.Encode("a🦉"));
        Assert.True(texts.Count > 2);
        Assert.Equal("🦉", texts[^1]);
        Assert.All(texts.Skip(1).SkipLast(1), Assert.Empty);
    }

    [Fact]
    public void Load_MissingFile_NamesTheFile()
    {
        var error = Assert.Throws<FileNotFoundException>(() => Tokenizer.Load("/nowhere/at-all"));
        Assert.Contains("/nowhere/at-all", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"model":{"type":"Unigram","vocab":[]}}""", "Unigram")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}}""", "'b'")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":[]},"normalizer":{"type":"NFKC"}}""", "NFKC")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":1.5},"merges":[]}}""", "model.vocab['a'] is 1.5")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":-1},"merges":[]}}""", "model.vocab['a'] is -1")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":2000000000},"merges":[]}}""", "model.vocab['a'] is 2000000000")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":[["a"]]}}""", "model.merges[0]")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":[[1, 2]]}}""", "model.merges[0]")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":[]},"added_tokens":[{"id":-3,"content":"x"}]}""", "added_tokens[0]['id'] is -3")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":[]},"added_tokens":[{"id":3}]}""", "'content'")]
    [InlineData("[1,", "tokenizer.json")]
    [InlineData("{}", "'model'")]
    public void Load_UnsupportedContent_SaysWhatIsWrong(string json, string part)
    {
        var error = Assert.Throws<InvalidDataException>(() => Tokenizer.Load(new MemoryStream(Encoding.UTF8.GetBytes(json))));
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""  "normalizer":{"type":"Sequence"}  """, "'normalizers'")]
    [InlineData("""  "normalizer":{"type":"Sequence","normalizers":{}}  """, "'normalizers' is {}")]
    [InlineData("""  "pre_tokenizer":{"type":"Sequence"}  """, "'pretokenizers'")]
    [InlineData("""  "pre_tokenizer":{"type":"Split","behavior":"Isolated"}  """, "'pattern'")]
    [InlineData("""  "pre_tokenizer":{"type":"Split","behavior":"Isolated","pattern":"x"}  """, "'String'")]
    [InlineData("""  "post_processor":{"type":"Sequence"}  """, "'processors'")]
    [InlineData("""  "post_processor":{"type":"TemplateProcessing","single":[]}  """, "'special_tokens'")]
    [InlineData("""  "post_processor":{"type":"TemplateProcessing","special_tokens":{}}  """, "'single'")]
    [InlineData("""  "post_processor":{"type":"TemplateProcessing","special_tokens":{},"single":[{}]}  """, "'Sequence'")]
    [InlineData("""  "post_processor":{"type":"TemplateProcessing","special_tokens":{},"single":[{"SpecialToken":{}}]}  """, "'id'")]
    [InlineData("""  "post_processor":{"type":"TemplateProcessing","special_tokens":{},"single":[{"SpecialToken":{"id":7}}]}  """, "'id' is 7")]
    [InlineData("""  "post_processor":{"type":"TemplateProcessing","special_tokens":{},"single":[{"SpecialToken":{"id":"x"}}]}  """, "'x'")]
    [InlineData("""  "post_processor":{"type":"TemplateProcessing","special_tokens":{"x":{}},"single":[{"SpecialToken":{"id":"x"}}]}  """, "'ids'")]
    public void Load_PartWithoutItsKey_NamesFileAndKey(string part, string expected)
    {
        var json = """{"model":{"type":"BPE","vocab":{"a":0},"merges":[]},""" + part + "}";
        var error = Assert.Throws<InvalidDataException>(() => Tokenizer.Load(new MemoryStream(Encoding.UTF8.GetBytes(json)), "here/tokenizer.json"));
        Assert.Contains("here/tokenizer.json: the key " + expected, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("e\u0301", "\u00e9")]
    [InlineData("\u212b", "\u00c5")]
    [InlineData("q\u0307\u0323", "q\u0323\u0307")]
    [InlineData("\u1100\u1161\u11a8", "\uac01")]
    [InlineData("\u0958", "\u0915\u093c")]
    [InlineData("\U0001D15E", "\U0001D157\U0001D165")]
    [InlineData("plain ascii", "plain ascii")]
    public void Normalize_KnownCases_GiveFormC(string text, string expected) => Assert.Equal(expected, CanonicalComposition.Normalize(text));

    // The textbook loop, on spellings.
    private static int[] ReferenceMerge(Tokenizer tokenizer, string word)
    {
        var merges = SmallTokenizer.Merges;
        var parts = word.Select(letter => letter.ToString()).ToList();
        while (true)
        {
            var best = -1;
            for (var i = 0; i + 1 < parts.Count; i++)
            {
                var known = merges.TryGetValue((parts[i], parts[i + 1]), out var rank);
                if (known && (best < 0 || rank < merges[(parts[best], parts[best + 1])])) best = i;
            }
            if (best < 0) return [.. parts.Select(part => tokenizer.IdOf(part)!.Value)];
            parts[best] += parts[best + 1];
            parts.RemoveAt(best + 1);
        }
    }
}
