using System.ClientModel.Primitives;
using System.Collections.Immutable;
using System.Text.Json;

namespace Hone;

/// <summary>
/// Reads log-probabilities off the object that a provider's client made of a response. The clients that are built on System.ClientModel, as OpenAI's
/// is, can write it back as JSON, so that no client's types are needed here.
/// </summary>
internal static class LogProbReader
{
    public static ImmutableArray<TokenLogProb> Read(object? raw)
    {
        switch (raw)
        {
            case JsonElement json:
                return ReadResponse(json);
            case IPersistableModel<object> model:
                using (var document = JsonDocument.Parse(model.Write(ModelReaderWriterOptions.Json)))
                    return ReadResponse(document.RootElement);
            default:
                return [];
        }
    }

    private static ImmutableArray<TokenLogProb> ReadResponse(JsonElement response) =>
        response.ValueKind == JsonValueKind.Object && response.TryGetProperty("choices", out var choices)
        && choices.ValueKind == JsonValueKind.Array && choices.GetArrayLength() > 0
        && choices[0].TryGetProperty("logprobs", out var logProbs) && logProbs.ValueKind == JsonValueKind.Object
        && logProbs.TryGetProperty("content", out var content)
            ? ReadTokens(content)
            : [];

    private static ImmutableArray<TokenLogProb> ReadTokens(JsonElement tokens) => tokens.ValueKind == JsonValueKind.Array
        ? [.. tokens.EnumerateArray().Select(token => new TokenLogProb(token.GetProperty("token").GetString() ?? string.Empty, token.GetProperty("logprob").GetDouble())
        {
            Alternatives = token.TryGetProperty("top_logprobs", out var top) ? ReadTokens(top) : [],
        })]
        : [];
}
