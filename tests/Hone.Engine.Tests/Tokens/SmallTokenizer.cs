using System.Text;
using System.Text.Json;

namespace Hone.Engine.Tests.Tokens;

/// <summary>A tokenizer of 500 tokens trained on made-up words, for tests that need any tokenizer.</summary>
internal static class SmallTokenizer
{
    public static string Json { get; } = BpeTrainer.Train(Corpus(), new BpeTrainerOptions { VocabularySize = 500 });

    public static Tokenizer Instance { get; } = Create();

    public static IReadOnlyDictionary<(string Left, string Right), int> Merges { get; } = ReadMerges();

    public static Tokenizer Create() => Tokenizer.Load(new MemoryStream(Encoding.UTF8.GetBytes(Json)));

    public static IEnumerable<string> Corpus()
    {
        string[] words =
            ["the", "quick", "brown", "fox", "jumps", "over", "lazy", "dogs", "bead", "cabbage", "decade",
             "added", "babe", "été", "中文", "😀"];
        var state = 12345u;
        for (var line = 0; line < 400; line++)
        {
            var text = new StringBuilder();
            for (var i = 0; i < 12; i++)
            {
                state = state * 1664525 + 1013904223;
                text.Append(words[(int)(state >> 16) % words.Length]).Append((state & 0x700) == 0 ? ", " : " ");
            }
            for (var i = 0; i < 20; i++)
            {
                state = state * 1664525 + 1013904223;
                text.Append((char)('a' + (state >> 20) % 5));
            }
            yield return text.ToString();
        }
    }

    private static Dictionary<(string, string), int> ReadMerges()
    {
        using var document = JsonDocument.Parse(Json);
        return document.RootElement.GetProperty("model").GetProperty("merges").EnumerateArray()
            .Select((merge, rank) => (Pair: merge.GetString()!.Split(' '), rank))
            .ToDictionary(item => (item.Pair[0], item.Pair[1]), item => item.rank);
    }
}
