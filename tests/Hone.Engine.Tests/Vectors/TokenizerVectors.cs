using System.Text.Json;
using Hone.Engine;
using Microsoft.Extensions.AI;

namespace Hone.Engine.Tests;

/// <summary>Evaluates vectors/tokenizers; no test framework, so that the conformance program can share it.</summary>
public static class TokenizerVectors
{
    // The ids recorded for this conversation are of another system message than its text ("Your input fields are:" for "Inputs:"): nothing to compare there.
    private const int ConversationWithOtherIds = 19;

    public static IEnumerable<(string Id, string? Failure)> Run(string vectorsDir)
    {
        var folder = Path.Combine(vectorsDir, "tokenizers");
        var tokenizers = Directory.GetDirectories(folder).ToDictionary(path => Path.GetFileName(path)!, Tokenizer.Load);
        return Encoding(folder, tokenizers).Concat(Decoding(folder, tokenizers)).Concat(Chat(folder, tokenizers));
    }

    private static IEnumerable<(string, string?)> Encoding(string folder, Dictionary<string, Tokenizer> tokenizers)
    {
        using var document = Open(folder, "cases.json");
        var texts = document.RootElement.GetProperty("texts").EnumerateArray().Select(text => text.GetProperty("text").GetString()!).ToArray();
        foreach (var group in document.RootElement.GetProperty("tokenizers").EnumerateArray())
        {
            var name = group.GetProperty("tokenizer").GetString()!;
            foreach (var test in group.GetProperty("cases").EnumerateArray())
                yield return ($"tokenizers/encode/{name}/{test.GetProperty("text").GetInt32()}", Encode(tokenizers[name], texts, test));
        }
    }

    private static string? Encode(Tokenizer tokenizer, string[] texts, JsonElement test)
    {
        var text = texts[test.GetProperty("text").GetInt32()];
        var ids = Ints(test, "ids")!;
        var decoded = Text(test, "decoded") ?? text;
        return Compare("ids", ids, tokenizer.Encode(text), text)
            ?? Compare("ids with special", Ints(test, "ids_with_special") ?? ids, tokenizer.Encode(text, addSpecialTokens: true), text)
            ?? Compare("tokens", string.Join(' ', test.GetProperty("tokens").EnumerateArray().Select(token => token.GetString())),
                string.Join(' ', ids.Select(tokenizer.TokenOf)))
            ?? Compare("decoded", decoded, tokenizer.Decode(ids))
            ?? Compare("decoded without special", Text(test, "decoded_without_special") ?? decoded, tokenizer.Decode(ids, skipSpecial: true))
            ?? Compare("decoded step by step", decoded, Stream(tokenizer, ids));
    }

    private static IEnumerable<(string, string?)> Decoding(string folder, Dictionary<string, Tokenizer> tokenizers)
    {
        using var document = Open(folder, "decode_cases.json");
        foreach (var group in document.RootElement.GetProperty("tokenizers").EnumerateArray())
        {
            var name = group.GetProperty("tokenizer").GetString()!;
            var index = 0;
            foreach (var test in group.GetProperty("cases").EnumerateArray())
            {
                var ids = Ints(test, "ids")!;
                var decoded = test.GetProperty("decoded").GetString()!;
                yield return ($"tokenizers/decode/{name}/{index++}",
                    Compare("decoded", decoded, tokenizers[name].Decode(ids))
                    ?? Compare("decoded without special", Text(test, "decoded_without_special") ?? decoded, tokenizers[name].Decode(ids, true))
                    ?? Compare("decoded step by step", decoded, Stream(tokenizers[name], ids)));
            }
        }
    }

    private static IEnumerable<(string, string?)> Chat(string folder, Dictionary<string, Tokenizer> tokenizers)
    {
        using var document = Open(folder, "chat.json");
        var conversations = document.RootElement.GetProperty("conversations").EnumerateArray()
            .Select(conversation => conversation.EnumerateArray().Select(ReadMessage).ToArray()).ToArray();
        var index = 0;
        foreach (var test in document.RootElement.GetProperty("cases").EnumerateArray())
        {
            var format = test.GetProperty("format").GetString()!;
            var template = ChatTemplate.ForName(format);
            var conversation = test.GetProperty("conversation").GetInt32();
            var messages = conversations[conversation];
            var options = ReadOptions(test.GetProperty("options"));
            var prompt = test.GetProperty("text_with_generation_prompt").GetString()!;
            var tokenizer = tokenizers[test.GetProperty("tokenizer").GetString()!];
            var ids = Ints(test, "ids_with_generation_prompt")!;
            yield return ($"tokenizers/chat/{format}/{index++}",
                Compare("text", test.GetProperty("text").GetString()!, template.Render(messages, false, options))
                ?? Compare("prompt", prompt, template.Render(messages, true, options))
                ?? (conversation == ConversationWithOtherIds ? null : Compare("ids", ids, tokenizer.Encode(prompt), prompt)));
        }
    }

    private static ChatMessage ReadMessage(JsonElement message)
    {
        var contents = new List<AIContent> { new TextContent(message.GetProperty("content").GetString()!) };
        if (message.TryGetProperty("tool_calls", out var calls))
            foreach (var call in calls.EnumerateArray())
                contents.Add(new FunctionCallContent(
                    "", call.GetProperty("name").GetString()!,
                    call.GetProperty("arguments").EnumerateObject()
                        .ToDictionary(argument => argument.Name, argument => (object?)argument.Value.Clone())));
        return new ChatMessage(new ChatRole(message.GetProperty("role").GetString()!), contents);
    }

    private static ChatTemplateOptions ReadOptions(JsonElement options)
    {
        var result = new ChatTemplateOptions();
        if (options.TryGetProperty("enable_thinking", out var thinking)) result = result with { EnableThinking = thinking.GetBoolean() };
        if (options.TryGetProperty("date_string", out var date)) result = result with { DateString = date.GetString()! };
        return result;
    }

    private static string Stream(Tokenizer tokenizer, int[] ids)
    {
        var decoder = tokenizer.CreateDecoder();
        return string.Concat(ids.Select(decoder.Append)) + decoder.Flush();
    }

    private static JsonDocument Open(string folder, string file) => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, file)));

    private static int[]? Ints(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? [.. value.EnumerateArray().Select(item => item.GetInt32())] : null;

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static string? Compare(string what, int[] expected, int[] actual, string text) => expected.AsSpan().SequenceEqual(actual) ? null
        : $"{what} of {JsonSerializer.Serialize(text)}: expected [{string.Join(", ", expected)}], got [{string.Join(", ", actual)}]";

    private static string? Compare(string what, string expected, string actual) => expected == actual ? null
        : $"{what}: expected {JsonSerializer.Serialize(expected)}, got {JsonSerializer.Serialize(actual)}";
}
