using Hone;

namespace SampleCommon;

/// <summary>The words that every world draws its names from. Worlds differ in how they combine them, so a name is new while its words are not.</summary>
public static class Vocabulary
{
    private const int FirstWordCount = 220;
    private const int SecondWordCount = 260;
    private const long WordSeed = 20_251;

    private static readonly string[] Starts =
        ["ka", "mo", "ter", "vel", "dra", "sin", "bo", "lu", "fen", "gar", "hal", "ri", "os", "tun", "pel", "wy", "zan", "cor", "mi", "nor", "jas", "ebb", "ul", "qua"];

    private static readonly string[] Middles = ["", "", "a", "o", "i", "el", "an", "or"];

    private static readonly string[] Ends =
        ["den", "ra", "lin", "mont", "vik", "sta", "lo", "mar", "ne", "ford", "tis", "gan", "bel", "dor", "wen", "ska", "rick", "sy", "thal", "bury"];

    static Vocabulary()
    {
        var random = new SeedStream(WordSeed).Derive("vocabulary").CreateRandom();
        var words = new HashSet<string>(StringComparer.Ordinal);
        while (words.Count < FirstWordCount + SecondWordCount)
        {
            var word = Pick(Starts) + Pick(Middles) + Pick(Ends);
            if (word.Length is >= 4 and <= 9)
                words.Add(char.ToUpperInvariant(word[0]) + word[1..]);
        }

        FirstWords = [.. words.Take(FirstWordCount)];
        SecondWords = [.. words.Skip(FirstWordCount)];

        string Pick(string[] parts) => parts[random.Next(parts.Length)];
    }

    /// <summary>Words that begin a name; rivers and countries are named by one of them.</summary>
    public static IReadOnlyList<string> FirstWords { get; }

    /// <summary>Words that end the name of a person or a book.</summary>
    public static IReadOnlyList<string> SecondWords { get; }

    /// <summary>What people do.</summary>
    public static IReadOnlyList<string> Jobs { get; } =
        ["composer", "painter", "chemist", "novelist", "baker", "surgeon", "sculptor", "botanist", "historian", "pilot", "lawyer", "dancer"];

    /// <summary>What companies make.</summary>
    public static IReadOnlyList<string> Industries { get; } =
        ["shipping", "glass", "software", "textile", "mining", "printing", "dairy", "robotics", "paper", "music"];

    /// <summary>What schools teach.</summary>
    public static IReadOnlyList<string> Subjects { get; } = ["law", "medicine", "music", "botany", "painting", "history", "mining", "dance"];

    /// <summary>What books are.</summary>
    public static IReadOnlyList<string> Genres { get; } = ["novel", "memoir", "poem", "play", "history"];

    /// <summary>Ends of company names.</summary>
    public static IReadOnlyList<string> CompanySuffixes { get; } = ["Yard", "Labs", "Group", "Mills", "Brothers"];

    /// <summary>Ends of school names.</summary>
    public static IReadOnlyList<string> SchoolSuffixes { get; } = ["College", "Academy", "Institute"];

    /// <summary>Ends of city names.</summary>
    public static IReadOnlyList<string> CitySuffixes { get; } = ["Bay", "Hill", "Falls", "Bridge", "Harbor"];
}
