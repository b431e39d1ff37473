using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;

namespace Hone.Tests.Adapters;

/// <summary>Compares messages with a file beside the tests. Set HONE_UPDATE_GOLDEN=1 to rewrite the files.</summary>
internal static partial class GoldenFile
{
    public static void Check(string name, IReadOnlyList<ChatMessage> messages, string footer = "", [CallerFilePath] string caller = "")
    {
        var actual = string.Concat(messages.Select(message => $"===== {message.Role.Value}\n{Show(message).TrimEnd('\n')}\n")) + footer;
        var path = Path.Combine(Path.GetDirectoryName(caller)!, "Golden", name + ".txt");
        if (Environment.GetEnvironmentVariable("HONE_UPDATE_GOLDEN") == "1")
            File.WriteAllText(path, actual);
        Assert.Equal(File.ReadAllText(path), actual);
    }

    public static string[] Headers(string text) => [.. Header().Matches(text).Select(match => match.Groups[1].Value)];

    private static string Show(ChatMessage message) => string.Concat(message.Contents.Select(content => content switch
    {
        TextContent text => text.Text,
        DataContent data => $"[part {data.MediaType} {data.Data.Length} bytes]",
        UriContent uri => $"[part {uri.MediaType} {uri.Uri}]",
        FunctionCallContent call => $"\n[call {call.CallId} {call.Name} {JsonText.Write(call.Arguments)}]",
        FunctionResultContent result => $"[result {result.CallId} {result.Result}]",
        _ => $"[{content.GetType().Name}]",
    }));

    [GeneratedRegex(@"\[\[ ## (\w+) ## \]\]")]
    private static partial Regex Header();
}
