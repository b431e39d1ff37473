namespace PrivateDelegation.World;

/// <summary>What people come for, and the form that helps with it: all that there is to know in this world.</summary>
internal static class Office
{
    /// <summary>Forms by what they are for.</summary>
    public static readonly (string Purpose, string Form)[] Purposes =
    [
        ("refund policy", "FORM-17"), ("lost card", "FORM-42"), ("name change", "FORM-63"), ("travel insurance", "FORM-28"),
        ("parking permit", "FORM-91"), ("school records", "FORM-35"), ("building permit", "FORM-74"), ("tax statement", "FORM-56"),
        ("moving house", "FORM-12"), ("water bill", "FORM-89"), ("dog licence", "FORM-31"), ("library card", "FORM-67"),
        ("birth certificate", "FORM-94"), ("street noise", "FORM-25"), ("job contract", "FORM-48"), ("health record", "FORM-73"),
    ];

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
