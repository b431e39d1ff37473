using System.Text.RegularExpressions;

namespace Hone;

/// <summary>Keeps credentials out of keys, files and messages: by the names that options carry, and by the shapes that texts carry.</summary>
internal static partial class SecretText
{
    private static readonly string[] Names =
    [
        "apikey", "accesskey", "secret", "password", "passwd", "authorization", "credential", "privatekey", "bearer", "cookie", "headers",
        "connectionstring", "sastoken", "authtoken", "accesstoken", "sessiontoken", "refreshtoken", "apitoken", "securitytoken",
    ];

    /// <summary>True when an option of this name holds, or may hold, a credential.</summary>
    public static bool IsSecretName(string name)
    {
        Span<char> buffer = stackalloc char[64];
        var length = 0;
        foreach (var character in name)
        {
            if (char.IsLetterOrDigit(character) && length < buffer.Length)
                buffer[length++] = char.ToLowerInvariant(character);
        }

        var plain = buffer[..length];
        if (plain.SequenceEqual("token") || plain.SequenceEqual("key") || plain.SequenceEqual("auth"))
            return true;
        foreach (var secret in Names)
        {
            if (plain.IndexOf(secret) >= 0)
                return true;
        }

        return false;
    }

    /// <summary>The text with everything that looks like a credential replaced.</summary>
    public static string Scrub(string text) => Pattern().Replace(text, match => match.Groups["keep"].Value + "***");

    [GeneratedRegex(
        """(?<keep>(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}|(?<keep>(?:api[_-]?key|access[_-]?token|token|secret|password|authorization|[?&](?:key|sig|code))["']?\s*[=:]\s*["']?)(?!(?:bearer|basic)\s)[^\s"'&,;}]+|\b(?:sk|pk|rk|xai|gsk|hf|ghp|AIza|AKIA)[-_]?[A-Za-z0-9_*-]{10,}""",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Pattern();
}
