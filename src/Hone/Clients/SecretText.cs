using System.Text.Json;
using System.Text.RegularExpressions;

namespace Hone;

/// <summary>Keeps credentials out of keys, files and messages: by the names that options carry, and by the shapes that texts carry.</summary>
internal static partial class SecretText
{
    private static readonly string[] Names =
    [
        "apikey", "accesskey", "secret", "password", "passwd", "authorization", "credential", "privatekey", "bearer", "cookie", "headers",
        "connectionstring", "sastoken", "authtoken", "accesstoken", "sessiontoken", "refreshtoken", "apitoken", "securitytoken", "passphrase",
        "subscriptionkey", "accountkey", "sharedkey", "signingkey", "masterkey", "servicekey", "authkey", "encryptionkey", "licensekey",
    ];

    // What comes before "token" when it is one of a model's vocabulary or a count.
    private static readonly string[] Vocabulary =
    [
        "bos", "eos", "pad", "padding", "stop", "unk", "unknown", "sep", "mask", "cls", "start", "end", "begin", "special", "eot", "eom", "eod", "image",
        "audio", "video", "think", "thinking", "reasoning", "prefix", "suffix", "middle", "max", "min", "next", "first", "last", "per", "each", "tool",
        "prompt", "completion", "input", "output", "decoder", "forced", "banned", "bad", "single", "by", "skip", "every",
    ];

    /// <summary>True when an option of this name holds, or may hold, a credential.</summary>
    /// <param name="name">Name of an option.</param>
    /// <param name="isNested">True inside an option's value, where a plain <c>key</c> or <c>token</c> is anything.</param>
    public static bool IsSecretName(string name, bool isNested = false)
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
            return !isNested;
        if (plain.EndsWith("token") && !IsVocabulary(plain[..^5]))
            return true;
        foreach (var secret in Names)
        {
            if (plain.IndexOf(secret) >= 0)
                return true;
        }

        return false;
    }

    /// <summary>The name under which a credential stands within an option's value; null when there is none.</summary>
    public static string? FindWithin(object? value)
    {
        if (value is null or IConvertible || !StableJson.TryFormat(value, out var json))
            return null;
        using var document = JsonDocument.Parse(json);
        return FindWithin(document.RootElement);
    }

    /// <summary>The text with everything that looks like a credential replaced.</summary>
    public static string Scrub(string text) => Pattern().Replace(text, match => match.Groups["keep"].Value + "***");

    private static string? FindWithin(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Array)
            return value.EnumerateArray().Select(FindWithin).FirstOrDefault(found => found is not null);
        if (value.ValueKind != JsonValueKind.Object)
            return null;
        foreach (var member in value.EnumerateObject())
        {
            // A schema may well speak of a password: only a text can be one.
            if (member.Value.ValueKind == JsonValueKind.String && member.Value.GetString() is { Length: > 0 } && IsSecretName(member.Name, isNested: true))
                return member.Name;
            if (FindWithin(member.Value) is { } found)
                return found;
        }

        return null;
    }

    private static bool IsVocabulary(ReadOnlySpan<char> before)
    {
        foreach (var word in Vocabulary)
        {
            if (before.EndsWith(word))
                return true;
        }

        return false;
    }

    [GeneratedRegex(
        """(?<keep>(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}|(?<keep>(?:api[_-]?key|access[_-]?token|token|secret|password|authorization|[?&](?:key|sig|code))["']?\s*[=:]\s*["']?)(?!(?:bearer|basic)\s)[^\s"'&,;}]+|\b(?:sk|pk|rk|xai|gsk|hf|ghp|AIza|AKIA)[-_]?[A-Za-z0-9_*-]{10,}""",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Pattern();
}
