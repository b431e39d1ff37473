using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Adapters;

/// <summary>Compares messages with a file beside the tests. Set HONE_UPDATE_GOLDEN=1 to rewrite the files.</summary>
internal static partial class GoldenFile
{
    public static void Check(string name, IReadOnlyList<ChatMessage> messages, [CallerFilePath] string caller = "")
    {
        var actual = string.Concat(messages.Select(message => $"===== {message.Role.Value}\n{message.Text.TrimEnd('\n')}\n"));
        var path = Path.Combine(Path.GetDirectoryName(caller)!, "Golden", name + ".txt");
        if (Environment.GetEnvironmentVariable("HONE_UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, actual);
        Assert.Equal(File.ReadAllText(path), actual);
    }

    public static string[] Headers(string text) => [.. Header().Matches(text).Select(match => match.Groups[1].Value)];

    [GeneratedRegex(@"\[\[ ## (\w+) ## \]\]")]
    private static partial Regex Header();
}
