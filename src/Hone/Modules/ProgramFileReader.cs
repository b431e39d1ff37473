using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Reads what <see cref="ProgramFileWriter"/> wrote, this version or an earlier one.</summary>
internal static class ProgramFileReader
{
    /// <exception cref="HoneException">The file is not a saved program, or differs from the module.</exception>
    public static ProgramState Read(
        JsonElement file,
        IReadOnlyList<KeyValuePair<string, Predictor>> predictors,
        IReadOnlyDictionary<string, AIFunction> tools,
        IReadOnlyList<string> banks,
        ProgramFileSource source)
    {
        if (file.ValueKind != JsonValueKind.Object || !file.TryGetProperty("format", out var format) || format.GetString() != ProgramFileWriter.Format)
            throw new HoneException($"{source.Name} is not a saved Hone program: it lacks \"format\": \"{ProgramFileWriter.Format}\".");
        var version = file.GetProperty("formatVersion").GetInt32();
        if (version is < 1 or > ProgramFileWriter.FormatVersion)
            throw new HoneException(
                $"{source.Name} has format version {version}; this Hone reads versions 1 to {ProgramFileWriter.FormatVersion}. Use a newer Hone.");
        var saved = file.GetProperty("predictors").EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value, StringComparer.Ordinal);
        source.Match(saved.Keys, predictors.Select(entry => entry.Key));
        var state = ProgramState.Default;
        foreach (var (path, predictor) in predictors)
        {
            if (saved.TryGetValue(path, out var entry))
                state = state.With(path, ReadPredictor(entry, predictor.Signature, source, path, isShort: version == 1));
        }

        state = state with { DemoBanks = DemoBankFile.Read(file.TryGetProperty("demoBanks", out var demoBanks) ? demoBanks : null, banks, predictors, source) };
        return file.TryGetProperty("tools", out var texts) ? state with { Tools = ReadTools(texts, tools, source) } : state;
    }

    // A tool without saved texts says of itself what it likes; saved texts of a tool that is gone are a difference.
    private static ImmutableSortedDictionary<string, ToolText> ReadTools(JsonElement texts, IReadOnlyDictionary<string, AIFunction> tools, ProgramFileSource source)
    {
        var read = ProgramState.Default.Tools;
        foreach (var entry in texts.EnumerateObject())
        {
            if (!tools.TryGetValue(entry.Name, out var tool))
            {
                source.Refuse($"the file has a tool '{entry.Name}' that the module lacks. It has: {(tools.Count == 0 ? "none" : string.Join(", ", tools.Keys))}");
                continue;
            }

            read = read.SetItem(entry.Name, new()
            {
                Name = Text(entry.Value, "name"),
                Description = Text(entry.Value, "description"),
                Arguments = entry.Value.TryGetProperty("arguments", out var arguments) ? ReadArguments(arguments, entry.Name, tool, source) : ToolText.Default.Arguments,
            });
        }

        return read;
    }

    private static ImmutableDictionary<string, string> ReadArguments(JsonElement texts, string path, AIFunction tool, ProgramFileSource source)
    {
        var known = TunedTool.ArgumentsOf(tool.JsonSchema);
        var read = ToolText.Default.Arguments;
        foreach (var argument in texts.EnumerateObject())
        {
            if (known.Contains(argument.Name, StringComparer.Ordinal))
                read = read.SetItem(argument.Name, Required(argument.Value));
            else
                source.Refuse($"tool '{path}' has no argument '{argument.Name}'");
        }

        return read;
    }

    private static PredictorState ReadPredictor(JsonElement entry, Signature signature, ProgramFileSource source, string path, bool isShort)
    {
        CheckFields(entry.GetProperty("fields"), signature, source, path, isShort);
        return new()
        {
            Instructions = Text(entry, "instructions"),
            Model = Text(entry, "model"),
            Options = entry.TryGetProperty("options", out var options) ? options.Deserialize(ProgramFileJson.Default.CallOptions) : null,
            FieldDescriptions = entry.TryGetProperty("descriptions", out var descriptions)
                ? descriptions.EnumerateObject().Where(field => signature.Find(field.Name) is not null)
                    .ToImmutableSortedDictionary(field => field.Name, field => Required(field.Value), StringComparer.Ordinal)
                : PredictorState.Default.FieldDescriptions,
            Demos = source.ReadDemos(entry, path, (demo, where) => ReadDemo(demo, signature, source, where)),
        };
    }

    private static void CheckFields(JsonElement fields, Signature signature, ProgramFileSource source, string path, bool isShort)
    {
        var saved = fields.EnumerateObject().ToDictionary(field => field.Name, field => field.Value.GetString(), StringComparer.Ordinal);
        var declared = TypeFingerprint.Of(signature, isShort);
        var differences = declared.Keys.Union(saved.Keys)
            .Where(field => declared.GetValueOrDefault(field) != saved.GetValueOrDefault(field))
            .Select(field => $"{field}: {saved.GetValueOrDefault(field) ?? "absent"} in the file, {declared.GetValueOrDefault(field) ?? "absent"} in the module")
            .ToArray();
        if (differences.Length > 0)
            source.Refuse($"predictor '{path}' has other fields than the module. {string.Join("; ", differences)}");
    }

    /// <summary>A demo; null when a value does not fit and it is to be left out.</summary>
    public static Demo? ReadDemo(JsonElement demo, Signature signature, ProgramFileSource source, string where)
    {
        var values = new List<KeyValuePair<string, object?>>();
        foreach (var value in demo.GetProperty("values").EnumerateObject())
        {
            if (signature.Find(value.Name) is not { } field)
                source.Refuse($"{where} has a value for '{value.Name}', which is no field of {signature.Shape}");
            else if (source.TryReadValue(value.Value, field, where, out var read))
                values.Add(new(value.Name, read));
            else
                return null;
        }

        return new(FieldMap.Create(values), demo.GetProperty("augmented").GetBoolean());
    }

    private static string Required(JsonElement text) => text.GetString() ?? throw new FormatException("a text is null.");

    private static string? Text(JsonElement entry, string property) => entry.TryGetProperty(property, out var value) ? value.GetString() : null;
}
