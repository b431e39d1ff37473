using System.Text.RegularExpressions;

namespace Hone.Engine;

/// <summary>
/// The expressions that tokenizers split text with. The well-known ones are compiled at build time; any other is compiled when the tokenizer is
/// loaded. The native library folds case by Unicode, so its <c>(?i:'s)</c> also takes the long s (U+017F); .NET's does not, so it is written out.
/// </summary>
internal static partial class SplitPatterns
{
    internal const string Qwen2 =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    internal const string Llama3 =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>The compiled form of an expression.</summary>
    /// <exception cref="InvalidDataException">The expression is not one that .NET understands.</exception>
    public static Regex Compile(string pattern, string source)
    {
        if (pattern == Qwen2) return Qwen2Regex();
        if (pattern == Llama3) return Llama3Regex();
        try
        {
            return new Regex(pattern, RegexOptions.Compiled | RegexOptions.CultureInvariant);
        }
        catch (ArgumentException error)
        {
            throw new InvalidDataException(
                $"{source}: the pre-tokenizer's expression '{pattern}' cannot be compiled by .NET ({error.Message}). " +
                "Hone.Engine reads Split expressions in the syntax that .NET and Oniguruma share.", error);
        }
    }

    /// <summary>The expression built into the ByteLevel pre-tokenizer (GPT-2).</summary>
    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", RegexOptions.CultureInvariant)]
    public static partial Regex ByteLevel();

    [GeneratedRegex(
        @"(?i:'s|'\u017F|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        RegexOptions.CultureInvariant)]
    private static partial Regex Qwen2Regex();

    [GeneratedRegex(
        @"(?i:'s|'\u017F|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        RegexOptions.CultureInvariant)]
    private static partial Regex Llama3Regex();
}
