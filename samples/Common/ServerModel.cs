using System.ClientModel;
using Hone;
using Microsoft.Extensions.AI;
using OpenAI;

namespace SampleCommon;

/// <summary>Models behind OpenAI-compatible servers.</summary>
public static class ServerModel
{
    /// <summary>The address of a server; null when none was given.</summary>
    /// <exception cref="HoneException">The text is no absolute http or https address.</exception>
    public static Uri? ParseAddress(string option, string? text) => text is null ? null
        : Uri.TryCreate(text, UriKind.Absolute, out var uri) && (uri.Scheme is "http" or "https")
            ? uri
        : throw new HoneException($"{option} expects the address of an OpenAI-compatible server such as http://localhost:8000/v1, got '{text}'.");

    /// <summary>A model of a server; its key is read from OPENAI_API_KEY.</summary>
    public static LM Open(Uri address, string name)
    {
        var key = Environment.GetEnvironmentVariable("OPENAI_API_KEY") is { Length: > 0 } given ? given : "none";
        var client = new OpenAIClient(new ApiKeyCredential(key), new OpenAIClientOptions { Endpoint = address });
        return new(client.GetChatClient(name).AsIChatClient(), name);
    }

    /// <summary>A model given as <c>ADDRESS#NAME</c>, e.g. <c>http://localhost:8000/v1#qwen3</c>; null when none was given.</summary>
    /// <exception cref="HoneException">The text has no name or no address.</exception>
    public static LM? Parse(string option, string? text)
    {
        if (text is null)
            return null;
        var cut = text.LastIndexOf('#');
        if (cut <= 0 || cut == text.Length - 1)
            throw new HoneException($"{option} expects a server's address and a model's name such as http://localhost:8000/v1#my-model, got '{text}'.");
        return Open(ParseAddress(option, text[..cut])!, text[(cut + 1)..]);
    }
}
