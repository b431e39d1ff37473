namespace PrivateDelegation.World;

/// <summary>What people come for, and the form that helps with it: all that there is to know in this world.</summary>
internal static class Office
{
    private const int FirstForm = 40;

    /// <summary>Names of forms by what they are for.</summary>
    public static readonly (string Purpose, string Form)[] Purposes =
        [.. Vocabulary.Industries.Concat(Vocabulary.Jobs).Select((trade, index) => ($"{trade} school", Vocabulary.FirstWords[FirstForm + (7 * index)]))];

    /// <summary>The purpose that a text names; null when it names none.</summary>
    public static (string Purpose, string Form)? Find(string text)
    {
        foreach (var entry in Purposes)
        {
            if (text.Contains(entry.Purpose, StringComparison.OrdinalIgnoreCase))
                return entry;
        }

        return null;
    }
}
