using System.Text.Json;

namespace Samples.Tests.Hover;

/// <summary>Small files in the formats of HoVer and of the Wikipedia abstracts.</summary>
internal static class HoverFiles
{
    public const int Alpha = 100;
    public const int Beta = 500;
    public const int Gamma = 1000;

    /// <summary>Each claim rests on three articles; its own words lead to the first alone.</summary>
    public static void Write(string data, string corpus, int claims)
    {
        File.WriteAllLines(data, Enumerable.Range(0, claims).Select(i => Claim(i, 3)));
        File.WriteAllLines(corpus, Enumerable.Range(0, claims).SelectMany(i => (string[])
        [
            Article($"Alpha {Alpha + i}", $"Alpha {Alpha + i} was written by a painter.", $"Its painter is Beta {Beta + i}."),
            Article($"Beta {Beta + i}", $"Beta {Beta + i} is from Gamma {Gamma + i}."),
            Article($"Gamma {Gamma + i}", "A city."),
        ]));
    }

    public static string Claim(int number, int articles, string? question = null) => JsonSerializer.Serialize(new
    {
        uid = $"claim-{number}",
        claim = $"The painter who wrote alpha {Alpha + number} lives somewhere.",

        // Titles as another dump would write them, one of them named by two sentences.
        supporting_facts = new object[][] { [$"Alpha {Alpha + number}", 0], [$"Alpha {Alpha + number}", 1], [$"BETA {Beta + number}", 0], [$"Gamma, {Gamma + number}", 0] },
        label = "SUPPORTED",
        num_hops = articles,
        hpqa_id = question ?? $"question-{number}",
    });

    private static string Article(string title, params string[] sentences) => JsonSerializer.Serialize(new { title, text = sentences });
}
