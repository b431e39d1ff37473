using System.Text;
using Microsoft.Extensions.AI;

namespace Hone.Testing;

/// <summary>Compares rendered prompts with files. Set <c>HONE_UPDATE_GOLDEN=1</c> to write the files, and review them like code.</summary>
public static class PromptGolden
{
    /// <summary>The environment variable that has files written instead of compared.</summary>
    public const string UpdateVariable = "HONE_UPDATE_GOLDEN";

    /// <summary>The messages as text: roles, texts, and a line for each part that is not text.</summary>
    public static string Render(IEnumerable<ChatMessage> messages)
    {
        ArgumentNullException.ThrowIfNull(messages);
        var text = new StringBuilder();
        foreach (var message in messages)
        {
            text.Append("===== ").Append(message.Role.Value).Append('\n');
            foreach (var content in message.Contents)
                text.Append(Show(content).ReplaceLineEndings("\n").TrimEnd('\n')).Append('\n');
        }

        return text.ToString();
    }

    /// <summary>Compares messages, e.g. of <c>program.Render(path, inputs)</c>, with a file.</summary>
    /// <exception cref="HoneException">The file is not there, or differs; the message shows the first line that does.</exception>
    public static void Check(string path, IEnumerable<ChatMessage> messages)
    {
        var actual = Render(messages);
        if (Environment.GetEnvironmentVariable(UpdateVariable) == "1")
        {
            AtomicFile.Write(path, stream => stream.Write(Encoding.UTF8.GetBytes(actual)));
            return;
        }

        if (!File.Exists(path))
            throw new HoneException($"There is no golden file {path}. Run once with {UpdateVariable}=1 and review what it holds.");
        var (expected, found) = (File.ReadAllText(path).ReplaceLineEndings("\n").Split('\n'), actual.Split('\n'));
        for (var i = 0; i < Math.Max(expected.Length, found.Length); i++)
        {
            var (before, after) = (i < expected.Length ? expected[i] : "(end)", i < found.Length ? found[i] : "(end)");
            if (before != after)
                throw new HoneException($"The prompt differs from {path}, line {i + 1}.\nfile:   {before}\nprompt: {after}\nIf this is meant, run with {UpdateVariable}=1 and review the change.");
        }
    }

    private static string Show(AIContent content) => content switch
    {
        TextContent text => text.Text,
        DataContent data => $"[part {data.MediaType}, {data.Data.Length} bytes]",
        UriContent uri => $"[part {uri.MediaType} {uri.Uri}]",
        FunctionCallContent call => $"[call {call.CallId} {call.Name}({string.Join(", ", call.Arguments?.Select(argument => $"{argument.Key}: {argument.Value}") ?? [])})]",
        FunctionResultContent result => $"[result {result.CallId} {result.Result}]",
        _ => $"[{content.GetType().Name}]",
    };
}
