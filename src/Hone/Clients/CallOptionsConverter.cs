using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>The saved form of call options: a closed list of members, none of which may hold a credential.</summary>
internal sealed class CallOptionsConverter : JsonConverter<CallOptions>
{
    /// <inheritdoc/>
    public override CallOptions? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        return Read(document.RootElement);
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, CallOptions value, JsonSerializerOptions options) => Write(writer, value);

    /// <summary>Reads options; null members count as absent, unknown ones are refused.</summary>
    internal static CallOptions Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
            throw new JsonException($"Call options must be a JSON object, not {json.ValueKind}.");
        var result = new CallOptions();
        foreach (var member in json.EnumerateObject())
        {
            if (member.Value.ValueKind != JsonValueKind.Null)
                result = With(result, member.Name, member.Value);
        }

        return result;
    }

    /// <summary>Writes the members that have a value.</summary>
    /// <exception cref="LMConfigurationException">An additional option has no JSON form.</exception>
    internal static void Write(Utf8JsonWriter writer, CallOptions value)
    {
        writer.WriteStartObject();
        Number(writer, "temperature", value.Temperature);
        Number(writer, "topP", value.TopP);
        Number(writer, "topK", value.TopK);
        Number(writer, "maxOutputTokens", value.MaxOutputTokens);
        if (!value.StopSequences.IsDefaultOrEmpty)
        {
            writer.WriteStartArray("stopSequences");
            foreach (var stop in value.StopSequences)
                writer.WriteStringValue(stop);
            writer.WriteEndArray();
        }

        if (value.ReasoningEffort is { } effort)
            writer.WriteString("reasoningEffort", effort.ToString());
        if (value.ReasoningOutput is { } output)
            writer.WriteString("reasoningOutput", output.ToString());
        if (value.ToolMode is { } mode)
            WriteMode(writer, mode);
        if (value.AllowMultipleToolCalls is { } several)
            writer.WriteBoolean("allowMultipleToolCalls", several);
        Number(writer, "frequencyPenalty", value.FrequencyPenalty);
        Number(writer, "presencePenalty", value.PresencePenalty);
        if (value.SampleId is { } sample)
            writer.WriteNumber("sampleId", sample);
        if (value.LogProbs is { } logProbs)
            writer.WriteBoolean("logProbs", logProbs);
        if (!value.Additional.IsEmpty)
            WriteAdditional(writer, value.Additional);
        writer.WriteEndObject();
    }

    private static void WriteAdditional(Utf8JsonWriter writer, ImmutableSortedDictionary<string, object?> additional)
    {
        writer.WriteStartObject("additional");
        foreach (var (name, item) in additional)
        {
            writer.WritePropertyName(name);
            if (!StableJson.TryWrite(writer, item, sorted: false))
                throw new LMConfigurationException(
                    $"The additional option '{name}' is a {item?.GetType().Name}, which has no JSON form. Use text, numbers, truth values, lists, dictionaries or JSON.");
        }

        writer.WriteEndObject();
    }

    private static float Finite(JsonElement value) =>
        value.GetSingle() is var number && float.IsFinite(number) ? number : throw new JsonException($"The number {value.GetRawText()} is too large for an option.");

    private static CallOptions With(CallOptions options, string name, JsonElement value) => name switch
    {
        "temperature" => options with { Temperature = Finite(value) },
        "topP" => options with { TopP = Finite(value) },
        "topK" => options with { TopK = value.GetInt32() },
        "maxOutputTokens" => options with { MaxOutputTokens = value.GetInt32() },
        "stopSequences" => options with { StopSequences = [.. value.EnumerateArray().Select(stop => stop.GetString() ?? throw new JsonException("A stop sequence is null."))] },
        "reasoningEffort" => options with { ReasoningEffort = Member<ReasoningEffort>(value.GetString(), "reasoning effort") },
        "reasoningOutput" => options with { ReasoningOutput = Member<ReasoningOutput>(value.GetString(), "amount of reasoning output") },
        "toolMode" => options with { ToolMode = ReadMode(value) },
        "allowMultipleToolCalls" => options with { AllowMultipleToolCalls = value.GetBoolean() },
        "frequencyPenalty" => options with { FrequencyPenalty = Finite(value) },
        "presencePenalty" => options with { PresencePenalty = Finite(value) },
        "sampleId" => options with { SampleId = value.GetInt64() },
        "logProbs" => options with { LogProbs = value.GetBoolean() },
        "additional" => options with
        {
            Additional = value.EnumerateObject().ToImmutableSortedDictionary(entry => entry.Name, entry => StableJson.FromElement(entry.Value), StringComparer.Ordinal),
        },
        _ => throw new JsonException($"'{name}' is no call option. A newer Hone may have written it."),
    };

    // A word, or for a tool that must be called an object with its name.
    private static void WriteMode(Utf8JsonWriter writer, ChatToolMode mode)
    {
        if (mode is RequiredChatToolMode { RequiredFunctionName: { } function })
        {
            writer.WriteStartObject("toolMode");
            writer.WriteString("function", function);
            writer.WriteEndObject();
            return;
        }

        writer.WriteString("toolMode", mode switch { NoneChatToolMode => "none", RequiredChatToolMode => "required", _ => "auto" });
    }

    private static ChatToolMode ReadMode(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty("function", out var function))
            return ChatToolMode.RequireSpecific(function.GetString()!);
        return value.ValueKind == JsonValueKind.String && value.GetString() is { } word
            ? word switch
            {
                "auto" => ChatToolMode.Auto,
                "none" => ChatToolMode.None,
                "required" => ChatToolMode.RequireAny,
                _ => throw new JsonException($"'{word}' is no tool mode. Use auto, none, required or {{\"function\": NAME}}."),
            }
            : throw new JsonException("A tool mode is auto, none, required or {\"function\": NAME}.");
    }

    private static T Member<T>(string? name, string what) where T : struct, Enum => Enum.TryParse<T>(name, out var member) && Enum.IsDefined(member)
        ? member
        : throw new JsonException($"'{name}' is no {what}. Use one of: {string.Join(", ", Enum.GetNames<T>())}.");

    private static void Number(Utf8JsonWriter writer, string name, float? value)
    {
        if (value is { } number)
            writer.WriteNumber(name, number);
    }

    private static void Number(Utf8JsonWriter writer, string name, int? value)
    {
        if (value is { } number)
            writer.WriteNumber(name, number);
    }
}
