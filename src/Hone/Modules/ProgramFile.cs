using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Hone;

/// <summary>
/// The saved form of a program: JSON with one entry a predictor, matched by path and field name, never by position. Weights lie in a directory
/// beside it. Programs are code and are not saved; neither is anything secret.
/// </summary>
public static class ProgramFile
{
    private const string Format = "hone.program";
    private const int FormatVersion = 1;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the program's state to a file and, when its model can be saved, the weights to <c>NAME.weights</c> beside it.</summary>
    public static async Task SaveAsync<TIn, TOut>(this Program<TIn, TOut> program, string path, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(program);
        string? weights = null;
        if (program.Model?.GetService<IWeightStore>() is { } store)
        {
            weights = Path.GetFileNameWithoutExtension(path) + ".weights";
            await store.SaveWeightsAsync(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, weights), cancellationToken).ConfigureAwait(false);
        }

        await AtomicFile.WriteTextAsync(path, Write(program, weights).ToJsonString(Indented) + "\n", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes the program's state, without weights, to a stream.</summary>
    public static async Task SaveAsync<TIn, TOut>(this Program<TIn, TOut> program, Stream stream, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(program);
        await stream.WriteAsync(Encoding.UTF8.GetBytes(Write(program, null).ToJsonString(Indented)), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The program with the state of a file; its model stays.</summary>
    /// <exception cref="HoneException">The file is not a saved program, or its predictors or fields differ from the program's.</exception>
    public static async Task<Program<TIn, TOut>> LoadStateAsync<TIn, TOut>(
        this Program<TIn, TOut> program, string path, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(program);
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        await using (stream.ConfigureAwait(false))
            return await LoadStateAsync(program, stream, path, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The program with the state of a stream; its model stays.</summary>
    /// <param name="program">The program whose module the state is for.</param>
    /// <param name="stream">UTF-8 JSON.</param>
    /// <param name="name">What the stream is called in errors.</param>
    /// <param name="cancellationToken">Stops reading.</param>
    /// <exception cref="HoneException">The stream is not a saved program, or its predictors or fields differ from the program's.</exception>
    public static async Task<Program<TIn, TOut>> LoadStateAsync<TIn, TOut>(
        this Program<TIn, TOut> program, Stream stream, string name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(program);
        try
        {
            using var document = await JsonDocument.ParseAsync(stream, default, cancellationToken).ConfigureAwait(false);
            return program.With(Read(document.RootElement, program.Module, name));
        }
        catch (JsonException error)
        {
            throw new HoneException($"{name} is not JSON: {error.Message}", error);
        }
    }

    /// <summary>Directory of the weights that belong to a saved program; null when it has none.</summary>
    public static string? WeightsDirectoryOf(string path)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.TryGetProperty("weights", out var weights) && weights.GetString() is { } folder
            ? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, folder)
            : null;
    }

    private static JsonObject Write<TIn, TOut>(Program<TIn, TOut> program, string? weights)
    {
        var predictors = new JsonObject();
        foreach (var (path, predictor) in ModuleTree.Collect(program.Module))
            predictors[path] = Write(predictor.Signature, program.State[path]);
        var file = new JsonObject { ["format"] = Format, ["formatVersion"] = FormatVersion, ["module"] = program.Module.GetType().Name, ["model"] = program.Model?.Name };
        if (weights is not null)
            file["weights"] = weights;
        file["predictors"] = predictors;
        return file;
    }

    private static JsonObject Write(Signature signature, PredictorState state)
    {
        var entry = new JsonObject { ["fields"] = new JsonObject(Fingerprint(signature).Select(field => KeyValuePair.Create(field.Key, (JsonNode?)field.Value))) };
        if (state.Instructions is not null)
            entry["instructions"] = state.Instructions;
        if (!state.FieldDescriptions.IsEmpty)
            entry["descriptions"] = new JsonObject(state.FieldDescriptions.Select(field => KeyValuePair.Create(field.Key, (JsonNode?)field.Value)));
        if (!state.Demos.IsEmpty)
            entry["demos"] = new JsonArray([.. state.Demos.Select(Write)]);
        if (state.Options is not null)
            entry["options"] = JsonSerializer.SerializeToNode(state.Options, ProgramFileJson.Default.CallOptions);
        if (state.Model is not null)
            entry["model"] = state.Model;
        return entry;
    }

    private static JsonNode Write(Demo demo) => new JsonObject { ["augmented"] = demo.IsAugmented, ["values"] = JsonNode.Parse(JsonText.Write(demo.Fields)) };

    private static ProgramState Read(JsonElement file, Module module, string name)
    {
        if (!file.TryGetProperty("format", out var format) || format.GetString() != Format)
            throw new HoneException($"{name} is not a saved Hone program: it lacks \"format\": \"{Format}\".");
        if (file.GetProperty("formatVersion").GetInt32() is var version and not FormatVersion)
            throw new HoneException($"{name} has format version {version}; this Hone reads version {FormatVersion}.");
        var expected = ModuleTree.Collect(module);
        var saved = file.GetProperty("predictors").EnumerateObject().ToArray();
        var missing = expected.Select(entry => entry.Key).Except(saved.Select(entry => entry.Name)).ToArray();
        var unknown = saved.Select(entry => entry.Name).Except(expected.Select(entry => entry.Key)).ToArray();
        if (missing.Length + unknown.Length > 0)
            throw new HoneException(
                $"{name} does not fit module {module.GetType().Name}. In the file only: {List(unknown)}. In the module only: {List(missing)}.");
        return new(saved.ToImmutableSortedDictionary(
            entry => entry.Name,
            entry => ReadPredictor(entry.Value, expected.First(predictor => predictor.Key == entry.Name).Value.Signature, $"{name}: predictor '{entry.Name}'")));
    }

    private static PredictorState ReadPredictor(JsonElement entry, Signature signature, string where)
    {
        var saved = entry.GetProperty("fields").EnumerateObject().ToDictionary(field => field.Name, field => field.Value.GetString());
        var declared = Fingerprint(signature);
        var differences = declared.Keys.Union(saved.Keys)
            .Where(field => declared.GetValueOrDefault(field) != saved.GetValueOrDefault(field))
            .Select(field => $"{field}: {saved.GetValueOrDefault(field) ?? "absent"} in the file, {declared.GetValueOrDefault(field) ?? "absent"} in the module")
            .ToArray();
        if (differences.Length > 0)
            throw new HoneException($"{where} has other fields than the module. {string.Join("; ", differences)}.");
        return new()
        {
            Instructions = Text(entry, "instructions"),
            Model = Text(entry, "model"),
            Options = entry.TryGetProperty("options", out var options) ? options.Deserialize(ProgramFileJson.Default.CallOptions) : null,
            FieldDescriptions = entry.TryGetProperty("descriptions", out var descriptions)
                ? descriptions.EnumerateObject().ToImmutableSortedDictionary(field => field.Name, field => field.Value.GetString()!)
                : ImmutableSortedDictionary<string, string>.Empty,
            Demos = entry.TryGetProperty("demos", out var demos) ? [.. demos.EnumerateArray().Select((demo, i) => ReadDemo(demo, signature, $"{where}, demo {i}"))] : [],
        };
    }

    private static Demo ReadDemo(JsonElement demo, Signature signature, string where) => new(
        FieldMap.Create(demo.GetProperty("values").EnumerateObject().Select(value =>
        {
            var field = signature.Find(value.Name) ?? throw new HoneException($"{where} has a value for '{value.Name}', which is no field of {signature.Shape}.");
            return KeyValuePair.Create(value.Name, value.Value.ValueKind == JsonValueKind.Null ? null : ValueCoercer.Coerce(JsonValues.FromElement(value.Value), field.Type));
        })),
        demo.GetProperty("augmented").GetBoolean());

    private static SortedDictionary<string, string> Fingerprint(Signature signature)
    {
        var fingerprint = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var field in signature.Fields)
            fingerprint[field.Name] = $"{(field.Direction == FieldDirection.Input ? "in" : "out")} {field.Type}";
        return fingerprint;
    }

    private static string? Text(JsonElement entry, string property) => entry.TryGetProperty(property, out var value) ? value.GetString() : null;

    private static string List(string[] names) => names.Length == 0 ? "none" : string.Join(", ", names);
}

/// <summary>The JSON of what program files store as it is.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(CallOptions))]
internal sealed partial class ProgramFileJson : JsonSerializerContext;
