using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Hone.Engine;

/// <summary>What <see cref="BpeTrainer"/> makes.</summary>
public sealed record BpeTrainerOptions
{
    /// <summary>Size of the vocabulary: the 256 bytes, the merges and the special tokens together.</summary>
    public int VocabularySize
    {
        get;
        init => field = value > 256 ? value : throw new ArgumentOutOfRangeException(
            nameof(VocabularySize), value, "A byte-level vocabulary needs more than the 256 single bytes.");
    } = 4096;

    /// <summary>How often a pair must occur to be merged. Default 2.</summary>
    public int MinimumFrequency
    {
        get;
        init => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(MinimumFrequency), value, "Must be at least 1.");
    } = 2;

    /// <summary>Special tokens, given the last ids in this order.</summary>
    public IReadOnlyList<string> SpecialTokens { get; init; } = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"];
}

/// <summary>
/// Trains a byte-level BPE vocabulary (Qwen2 splitting, NFC) and writes it as a Hugging Face <c>tokenizer.json</c>. Deterministic: the most
/// frequent pair is merged first, among equals the one with the lower ids.
/// </summary>
public static class BpeTrainer
{
    private const string ByteLevelStep = """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":false,"use_regex":false}""";

    /// <summary>The JSON of a tokenizer trained on texts.</summary>
    /// <exception cref="ArgumentException">The corpus is too small for the vocabulary asked for.</exception>
    public static string Train(IEnumerable<string> texts, BpeTrainerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(texts);
        options ??= new BpeTrainerOptions();
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        var splitter = new SplitPreTokenizer(SplitPatterns.Compile(SplitPatterns.Qwen2, nameof(BpeTrainer)));
        var pieces = new List<TextPiece>();
        foreach (var text in texts)
        {
            var normalized = CanonicalComposition.Normalize(text);
            pieces.Clear();
            splitter.Split(new TextPiece(normalized, 0, normalized.Length), pieces);
            foreach (var piece in pieces)
            {
                var word = piece.Span.ToString();
                counts[word] = counts.GetValueOrDefault(word) + 1;
            }
        }
        return Train(counts, options);
    }

    /// <summary>The JSON of a tokenizer trained on words that are already split, with how often each occurs.</summary>
    /// <exception cref="ArgumentException">The corpus is too small for the vocabulary asked for.</exception>
    public static string Train(IReadOnlyDictionary<string, long> wordCounts, BpeTrainerOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(wordCounts);
        options ??= new BpeTrainerOptions();
        var state = new PairCounts();
        var idOfByte = new int[256];
        // Ids of single bytes follow the order of their letters, as every published vocabulary has it.
        var letters = Enumerable.Range(0, 256).OrderBy(value => ByteAlphabet.ToChar((byte)value)).ToArray();
        var tokens = new List<byte[]>();
        foreach (var value in letters)
        {
            idOfByte[value] = tokens.Count;
            tokens.Add([(byte)value]);
        }
        foreach (var (word, count) in wordCounts.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            state.Add([.. Encoding.UTF8.GetBytes(word).Select(value => idOfByte[value])], count);

        var target = options.VocabularySize - options.SpecialTokens.Count;
        var merges = new List<(int Left, int Right)>();
        var known = tokens.Select(token => ByteAlphabet.ToText(token)).ToHashSet(StringComparer.Ordinal);
        while (tokens.Count < target)
        {
            if (!state.TryTakeBest(options.MinimumFrequency, out var pair))
                throw new ArgumentException(
                    $"The corpus has only {tokens.Count + options.SpecialTokens.Count} tokens to give (pairs seen at least " +
                    $"{options.MinimumFrequency} times); {options.VocabularySize} were asked for. Lower {nameof(options.VocabularySize)} " +
                    $"or {nameof(options.MinimumFrequency)}, or bring more text.", nameof(wordCounts));
            byte[] merged = [.. tokens[pair.Left], .. tokens[pair.Right]];
            // Two ways to the same bytes would give two ids one spelling; the first way keeps it.
            if (!known.Add(ByteAlphabet.ToText(merged))) continue;
            state.Merge(pair.Left, pair.Right, tokens.Count);
            tokens.Add(merged);
            merges.Add(pair);
        }
        return Write(tokens, merges, options);
    }

    private static string Write(List<byte[]> tokens, List<(int Left, int Right)> merges, BpeTrainerOptions options)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("version", "1.0");
            json.WriteNull("truncation");
            json.WriteNull("padding");
            json.WriteStartArray("added_tokens");
            for (var i = 0; i < options.SpecialTokens.Count; i++) WriteSpecialToken(json, tokens.Count + i, options.SpecialTokens[i]);
            json.WriteEndArray();
            json.WritePropertyName("normalizer");
            json.WriteRawValue("""{"type":"NFC"}""");
            json.WritePropertyName("pre_tokenizer");
            var expression = JsonEncodedText.Encode(SplitPatterns.Qwen2, JavaScriptEncoder.UnsafeRelaxedJsonEscaping);
            json.WriteRawValue(
                "{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":{\"Regex\":\"" + expression +
                "\"},\"behavior\":\"Isolated\",\"invert\":false}," + ByteLevelStep + "]}");
            json.WritePropertyName("post_processor");
            json.WriteRawValue(ByteLevelStep);
            json.WritePropertyName("decoder");
            json.WriteRawValue(ByteLevelStep);
            json.WriteStartObject("model");
            json.WriteString("type", "BPE");
            foreach (var name in (string[])["dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix"]) json.WriteNull(name);
            foreach (var name in (string[])["fuse_unk", "byte_fallback", "ignore_merges"]) json.WriteBoolean(name, false);
            json.WriteStartObject("vocab");
            for (var id = 0; id < tokens.Count; id++) json.WriteNumber(ByteAlphabet.ToText(tokens[id]), id);
            json.WriteEndObject();
            json.WriteStartArray("merges");
            foreach (var (left, right) in merges) json.WriteStringValue(ByteAlphabet.ToText(tokens[left]) + " " + ByteAlphabet.ToText(tokens[right]));
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void WriteSpecialToken(Utf8JsonWriter json, int id, string content)
    {
        json.WriteStartObject();
        json.WriteNumber("id", id);
        json.WriteString("content", content);
        foreach (var name in (string[])["single_word", "lstrip", "rstrip", "normalized"]) json.WriteBoolean(name, false);
        json.WriteBoolean("special", true);
        json.WriteEndObject();
    }
}
