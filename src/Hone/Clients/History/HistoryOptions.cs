using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Turns the options and counts of a call into what a history keeps of them.</summary>
internal static class HistoryOptions
{
    public static ImmutableSortedDictionary<string, string> Of(ChatOptions? options)
    {
        var kept = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        if (options is null)
            return kept.ToImmutable();
        Add("model", options.ModelId);
        Add("temperature", options.Temperature);
        Add("top_p", options.TopP);
        Add("top_k", options.TopK);
        Add("max_output_tokens", options.MaxOutputTokens);
        Add("frequency_penalty", options.FrequencyPenalty);
        Add("presence_penalty", options.PresencePenalty);
        Add("seed", options.Seed);
        Add("stop_sequences", options.StopSequences is { Count: > 0 } stops ? Json(stops) : null);
        Add("reasoning_effort", options.Reasoning?.Effort?.ToString());
        Add("reasoning_output", options.Reasoning?.Output?.ToString());
        Add("response_format", FormatOf(options.ResponseFormat));
        Add("tools", options.Tools is { Count: > 0 } tools ? string.Join(", ", tools.Select(tool => tool.Name)) : null);
        Add("tool_mode", ModeOf(options.ToolMode));
        Add("allow_multiple_tool_calls", options.AllowMultipleToolCalls);
        Add("sample_id", (options as HoneChatOptions)?.SampleId);
        foreach (var (name, value) in options.AdditionalProperties ?? [])
        {
            if (!SecretText.IsSecretName(name))
                Add(name, SecretText.Scrub(value as string ?? Json(value)));
        }

        return kept.ToImmutable();

        void Add(string name, object? value)
        {
            if (value is not null)
                kept[name] = value as string ?? Convert.ToString(value, CultureInfo.InvariantCulture)!;
        }
    }

    public static ImmutableSortedDictionary<string, long> Of(UsageDetails? usage)
    {
        var kept = ImmutableSortedDictionary.CreateBuilder<string, long>(StringComparer.Ordinal);
        if (usage is null)
            return kept.ToImmutable();
        Add("input", usage.InputTokenCount);
        Add("output", usage.OutputTokenCount);
        Add("total", usage.TotalTokenCount);
        Add("cached_input", usage.CachedInputTokenCount);
        Add("reasoning", usage.ReasoningTokenCount);
        foreach (var (name, count) in usage.AdditionalCounts ?? [])
            Add(name, count);
        return kept.ToImmutable();

        void Add(string name, long? count)
        {
            if (count is { } number)
                kept[name] = number;
        }
    }

    private static string? FormatOf(ChatResponseFormat? format) => format switch
    {
        ChatResponseFormatJson { Schema: { } schema } => schema.GetRawText(),
        ChatResponseFormatJson => "json",
        ChatResponseFormatText => "text",
        _ => null,
    };

    private static string? ModeOf(ChatToolMode? mode) => mode switch
    {
        RequiredChatToolMode { RequiredFunctionName: { } name } => $"required: {name}",
        RequiredChatToolMode => "required",
        NoneChatToolMode => "none",
        AutoChatToolMode => "auto",
        _ => null,
    };

    private static string Json(object? value) =>
        value is null ? "null" : StableJson.TryFormat(value, out var json) ? Encoding.UTF8.GetString(json) : $"({value.GetType().Name})";
}
