using System.Text.Json;

namespace Hone.Engine;

/// <summary>What a checkpoint says about its chat format.</summary>
/// <param name="Name">The key <c>hone_chat_format</c> of tokenizer_config.json, or null.</param>
/// <param name="Template">The published template, or null.</param>
/// <param name="Place">File and key of it, for errors.</param>
internal sealed record ChatTemplateSource(string? Name, string? Template, string Place)
{
    public const string ConfigFile = "tokenizer_config.json", TemplateFile = "chat_template.jinja";

    /// <summary>
    /// Reads tokenizer_config.json and chat_template.jinja of a directory; both may be missing. Where there are several templates the one called
    /// "default" counts.
    /// </summary>
    /// <exception cref="InvalidDataException">A file is not JSON.</exception>
    public static ChatTemplateSource Read(string directory)
    {
        var (config, jinja) = (Path.Combine(directory, ConfigFile), Path.Combine(directory, TemplateFile));
        var found = new ChatTemplateSource(null, null, $"'{config}'");
        if (File.Exists(config))
        {
            try
            {
                using var document = JsonDocument.Parse(File.ReadAllBytes(config));
                found = Of(document.RootElement, config);
            }
            catch (JsonException error)
            {
                throw new InvalidDataException($"'{config}' is not JSON: {error.Message}", error);
            }
        }

        return File.Exists(jinja) ? found with { Template = File.ReadAllText(jinja), Place = $"'{jinja}'" } : found;
    }

    /// <summary>What a tokenizer_config.json says.</summary>
    public static ChatTemplateSource Of(JsonElement? config, string path = ConfigFile)
    {
        var template = Value(config, "chat_template");
        if (template is { ValueKind: JsonValueKind.Array } list)
        {
            template = list.EnumerateArray().Where(entry => Text(Value(entry, "name")) == "default").Select(entry => Value(entry, "template"))
                .FirstOrDefault();
        }

        return new ChatTemplateSource(Text(Value(config, "hone_chat_format")), Text(template), $"'{path}', key 'chat_template'");
    }

    private static JsonElement? Value(JsonElement? element, string name) =>
        element is { ValueKind: JsonValueKind.Object } json && json.TryGetProperty(name, out var value) ? value : null;

    private static string? Text(JsonElement? element) => element is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;
}
