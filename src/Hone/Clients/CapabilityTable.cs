namespace Hone;

/// <summary>The table of model families. First by model id, then by provider; what is in neither is taken to handle text only.</summary>
internal static class CapabilityTable
{
    /// <summary>Lower limits leave a reasoning model no room to answer.</summary>
    private const int ReasoningMinOutputTokens = 16_000;

    private static readonly ModelCapabilities Chat = new()
    {
        ResponseSchema = true,
        JsonMode = true,
        NativeTools = true,
        ParallelTools = true,
        LogProbs = true,
        MultipleCompletions = true,
        Images = true,
        Documents = true,
    };

    private static readonly ModelCapabilities OldChat = Chat with { ResponseSchema = false, Images = false, Documents = false };

    private static readonly ModelCapabilities Reasoning = Chat with
    {
        Reasoning = true,
        Temperature = false,
        MinOutputTokens = ReasoningMinOutputTokens,
        LogProbs = false,
        MultipleCompletions = false,
        MaxContextTokens = 200_000,
        MaxOutputTokens = 100_000,
    };

    private static readonly ModelCapabilities EarlyReasoning = Reasoning with
    {
        ResponseSchema = false,
        JsonMode = false,
        NativeTools = false,
        ParallelTools = false,
        SystemRole = false,
        Images = false,
        Documents = false,
        MaxContextTokens = 128_000,
        MaxOutputTokens = 65_536,
    };

    private static readonly ModelCapabilities Claude = new()
    {
        NativeTools = true,
        ParallelTools = true,
        Images = true,
        Documents = true,
        MaxContextTokens = 200_000,
        MaxOutputTokens = 8_192,
    };

    private static readonly ModelCapabilities ThinkingClaude = Claude with { Reasoning = true, ReasoningText = true, MaxOutputTokens = 32_000 };

    private static readonly ModelCapabilities Gemini = new()
    {
        ResponseSchema = true,
        JsonMode = true,
        NativeTools = true,
        ParallelTools = true,
        Reasoning = true,
        ReasoningText = true,
        ReasoningTemperature = true,
        Images = true,
        Audio = true,
        Documents = true,
        MaxContextTokens = 1_048_576,
    };

    private static readonly ModelCapabilities OpenAIServer = new() { JsonMode = true, NativeTools = true, ParallelTools = true };

    private static readonly ModelCapabilities Ollama = new() { ResponseSchema = true, JsonMode = true };

    private static readonly ModelCapabilities Engine = new() { LogProbs = true };

    // The first prefix that fits counts, so the longer ones come first.
    private static readonly (string Prefix, ModelCapabilities Capabilities)[] Families =
    [
        ("gpt-4.1", Chat with { MaxContextTokens = 1_047_576, MaxOutputTokens = 32_768 }),
        ("gpt-4o-audio", Chat with { Images = false, Audio = true, ResponseSchema = false, MaxContextTokens = 128_000, MaxOutputTokens = 16_384 }),
        ("gpt-4o", Chat with { MaxContextTokens = 128_000, MaxOutputTokens = 16_384 }),
        ("chatgpt-4o", Chat with { NativeTools = false, ParallelTools = false, MaxContextTokens = 128_000, MaxOutputTokens = 16_384 }),
        ("gpt-4.5", Chat with { MaxContextTokens = 128_000, MaxOutputTokens = 16_384 }),
        ("gpt-4-turbo", OldChat with { Images = true, MaxContextTokens = 128_000, MaxOutputTokens = 4_096 }),
        ("gpt-4", OldChat with { MaxContextTokens = 8_192 }),
        ("gpt-3.5", OldChat with { MaxContextTokens = 16_385, MaxOutputTokens = 4_096 }),
        ("gpt-5", Chat with { MaxContextTokens = 400_000, MaxOutputTokens = 16_384 }),
        ("claude-opus-4-5", ThinkingClaude with { ResponseSchema = true, MaxOutputTokens = 64_000 }),
        ("claude-opus-4-1", ThinkingClaude with { ResponseSchema = true }),
        ("claude-sonnet-4-5", ThinkingClaude with { ResponseSchema = true, MaxOutputTokens = 64_000 }),
        ("claude-haiku-4-5", ThinkingClaude with { ResponseSchema = true, MaxOutputTokens = 64_000 }),
        ("claude-sonnet-4", ThinkingClaude with { MaxOutputTokens = 64_000 }),
        ("claude-opus-4", ThinkingClaude),
        ("claude-3-7", ThinkingClaude with { MaxOutputTokens = 64_000 }),
        ("claude-3-5", Claude),
        ("claude-3", Claude with { MaxOutputTokens = 4_096, Documents = false }),
        ("claude", ThinkingClaude with { ResponseSchema = true }),
        ("gemini", Gemini),
    ];

    public static ModelCapabilities Find(string? provider, string? model, Uri? endpoint)
    {
        var id = Normalize(model);
        // Engines and servers that run open weights name them freely, so what they are comes before the name.
        switch (provider?.ToLowerInvariant())
        {
            case "hone-engine":
                return Engine;
            case "ollama":
                return Ollama;
            case "scripted" or "toy":
                return ModelCapabilities.TextOnly;
        }

        if (IsReasoningFamily(id))
            return id.StartsWith("o1-mini", StringComparison.Ordinal) || id.StartsWith("o1-preview", StringComparison.Ordinal) ? EarlyReasoning
                : id[0] == 'o' ? Reasoning
                : Reasoning with { MaxContextTokens = 400_000, MaxOutputTokens = 128_000 };
        foreach (var (prefix, capabilities) in Families)
        {
            if (id.StartsWith(prefix, StringComparison.Ordinal))
                return IsOpenAIClient(provider) && capabilities.ReasoningText ? capabilities with { ReasoningText = false } : capabilities;
        }

        return IsOpenAI(endpoint) ? OpenAIServer : ModelCapabilities.TextOnly;
    }

    /// <summary>OpenAI's o series and gpt-5, but not its chat variants.</summary>
    internal static bool IsReasoningFamily(string id)
    {
        if (id.StartsWith("gpt-5", StringComparison.Ordinal))
            return !id.Contains("-chat", StringComparison.Ordinal) && (id.Length == 5 || id[5] is '-' or '.');
        return id.Length >= 2 && id[0] == 'o' && id[1] is '1' or '3' or '4' or '5' && (id.Length == 2 || id[2] == '-');
    }

    // "openai/gpt-4o", "ft:gpt-4o-mini:team::id" and "us.anthropic.claude-…" mean the models that they name.
    private static string Normalize(string? model)
    {
        var id = (model ?? string.Empty).Trim().ToLowerInvariant();
        id = id[(id.LastIndexOf('/') + 1)..];
        if (id.StartsWith("ft:", StringComparison.Ordinal))
            id = id[3..];
        var claude = id.IndexOf("anthropic.claude", StringComparison.Ordinal);
        return claude < 0 ? id : id[(claude + "anthropic.".Length)..];
    }

    // Whatever the model, OpenAI's chat API has no place for thoughts.
    private static bool IsOpenAIClient(string? provider) => string.Equals(provider, OpenAIOptions.Provider, StringComparison.OrdinalIgnoreCase);

    private static bool IsOpenAI(Uri? endpoint) => endpoint is { IsAbsoluteUri: true }
        && (endpoint.Host.Equals("api.openai.com", StringComparison.OrdinalIgnoreCase)
            || endpoint.Host.EndsWith(".openai.azure.com", StringComparison.OrdinalIgnoreCase));
}
