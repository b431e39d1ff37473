using System.Collections.Immutable;
using System.Numerics;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Writes a program's state as JSON.</summary>
internal static class ProgramFileWriter
{
    public const string Format = "hone.program";

    /// <summary>2: fields carry the whole structure of their type. 1: only its name.</summary>
    public const int FormatVersion = 2;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Write<TIn, TOut>(Program<TIn, TOut> program, string? weights, IReadOnlyDictionary<string, string>? namedWeights = null)
    {
        var predictors = new JsonObject();
        foreach (var (path, predictor) in ModuleTree.Collect(program.Module))
            predictors[path] = Write(predictor.Signature, program.State[path]);
        var file = new JsonObject
        {
            ["format"] = Format,
            ["formatVersion"] = FormatVersion,
            ["module"] = program.Module.GetType().Name,
            ["model"] = program.Model?.Name,
        };
        if (weights is not null)
            file["weights"] = weights;
        if (namedWeights is { Count: > 0 })
            file["namedWeights"] = new JsonObject(namedWeights.Select(entry => KeyValuePair.Create<string, JsonNode?>(entry.Key, entry.Value)));
        file["predictors"] = predictors;
        if (!program.State.Tools.IsEmpty)
            file["tools"] = new JsonObject(program.State.Tools.Select(entry => KeyValuePair.Create<string, JsonNode?>(entry.Key, Write(entry.Value))));
        if (!program.State.DemoBanks.IsEmpty)
            file["demoBanks"] = DemoBankFile.Write(program.State.DemoBanks);
        return file.ToJsonString(Indented);
    }

    private static JsonObject Write(Signature signature, PredictorState state)
    {
        var entry = new JsonObject { ["fields"] = Texts(TypeFingerprint.Of(signature)) };
        if (state.Instructions is not null)
            entry["instructions"] = state.Instructions;
        if (!state.FieldDescriptions.IsEmpty)
            entry["descriptions"] = Texts(state.FieldDescriptions);
        if (!state.Demos.IsEmpty)
            entry["demos"] = new JsonArray([.. state.Demos.Select(Write)]);
        if (state.Options is not null)
            entry["options"] = JsonSerializer.SerializeToNode(state.Options, ProgramFileJson.Default.CallOptions);
        if (state.Model is not null)
            entry["model"] = state.Model;
        return entry;
    }

    private static JsonObject Write(ToolText text)
    {
        var entry = new JsonObject();
        if (text.Name is not null)
            entry["name"] = text.Name;
        if (text.Description is not null)
            entry["description"] = text.Description;
        if (!text.Arguments.IsEmpty)
            entry["arguments"] = Texts(text.Arguments.OrderBy(argument => argument.Key, StringComparer.Ordinal));
        return entry;
    }

    /// <summary>A demo. Tools are code: it is shown beside those that there are.</summary>
    public static JsonNode Write(Demo demo) => new JsonObject
    {
        ["augmented"] = demo.IsAugmented,
        ["values"] = Node(FieldMap.Create(demo.Fields.Where(field => !HoldsTools(field.Value)).Select(field => KeyValuePair.Create(field.Key, Canonical(field.Value))))),
    };

    // Demos written by hand hold values as the program has them: records, lists, whole numbers of any width.
    private static object? Canonical(object? value) => value is History ? value : ClrValues.ToCanonical(value);

    /// <summary>True for tools and lists of them.</summary>
    public static bool HoldsTools(object? value) => value is AITool || (value is ImmutableArray<object?> { Length: > 0 } list && list[0] is AITool);

    private static JsonObject Texts(IEnumerable<KeyValuePair<string, string>> texts) =>
        new(texts.Select(entry => KeyValuePair.Create(entry.Key, (JsonNode?)entry.Value)));

    /// <summary>A canonical value as JSON that its field's type reads back.</summary>
    public static JsonNode? Node(object? value) => value switch
    {
        null => null,
        FieldMap map => new JsonObject(map.Select(entry => KeyValuePair.Create(entry.Key, Node(entry.Value)))),
        ImmutableArray<object?> list => new JsonArray([.. list.Select(Node)]),
        bool flag => JsonValue.Create(flag),
        long whole => JsonValue.Create(whole),
        decimal number => JsonValue.Create(number),
        double number when double.IsFinite(number) => JsonNode.Parse(JsonText.Write(number)),
        BigInteger or Media or History => JsonNode.Parse(JsonText.Write(value)),
        _ => JsonValue.Create(JsonText.Scalar(value)),
    };
}

/// <summary>The JSON of what program files store as it is.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(CallOptions))]
internal sealed partial class ProgramFileJson : JsonSerializerContext;
