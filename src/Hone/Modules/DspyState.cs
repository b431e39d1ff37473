using System.Collections.Immutable;
using System.Text.Json;

namespace Hone;

/// <summary>
/// Reads what DSPy's <c>program.save("x.json")</c> wrote: instructions, field descriptions, demos and sampling options by predictor. Its fields are
/// told by position and label; both are checked. Nothing is executed, no class is loaded, no address or key of a model is taken over.
/// </summary>
internal static class DspyState
{
    private const string Metadata = "metadata";

    /// <summary>True for a file in that layout: either one entry a predictor, or the single entry itself.</summary>
    public static bool Recognizes(JsonElement file) => file.ValueKind == JsonValueKind.Object
        && (IsEntry(file) || file.EnumerateObject().Any(property => property.Name != Metadata && IsEntry(property.Value)));

    /// <exception cref="HoneException">The predictors or their fields are not those of the module.</exception>
    public static ProgramState Read(
        JsonElement file,
        IReadOnlyList<KeyValuePair<string, Predictor>> predictors,
        ImmutableDictionary<string, LM> models,
        ProgramFileSource source)
    {
        var saved = Entries(file).ToDictionary(entry => PathOf(entry.Name, predictors), entry => entry.Value, StringComparer.Ordinal);
        source.Match(saved.Keys, predictors.Select(entry => entry.Key));
        var state = ProgramState.Default;
        foreach (var (path, predictor) in predictors)
        {
            if (saved.TryGetValue(path, out var entry))
                state = state.With(path, ReadPredictor(entry, predictor.Signature, models, source, path));
        }

        return state;
    }

    private static bool IsEntry(JsonElement value) => value.ValueKind == JsonValueKind.Object
        && value.TryGetProperty("signature", out var signature) && signature.ValueKind == JsonValueKind.Object && signature.TryGetProperty("fields", out _);

    private static IEnumerable<(string Name, JsonElement Value)> Entries(JsonElement file) => IsEntry(file)
        ? [(ModuleTree.Self, file)]
        : file.EnumerateObject().Where(property => property.Name != Metadata).Select(property => (property.Name, property.Value));

    // There a ChainOfThought holds a Predict of its own: `answer.predict` is what is called `answer` here.
    private static string PathOf(string name, IReadOnlyList<KeyValuePair<string, Predictor>> predictors)
    {
        const string Inner = "predict";
        if (predictors.Any(entry => entry.Key == name))
            return name;
        var outer = name == Inner ? ModuleTree.Self : name.EndsWith("." + Inner, StringComparison.Ordinal) ? name[..^(Inner.Length + 1)] : name;
        return predictors.Any(entry => entry.Key == outer) ? outer : name;
    }

    private static PredictorState ReadPredictor(
        JsonElement entry, Signature signature, ImmutableDictionary<string, LM> models, ProgramFileSource source, string path)
    {
        var saved = entry.GetProperty("signature");
        var fields = saved.GetProperty("fields").EnumerateArray().ToArray();
        CheckFields(fields, signature, source, path);
        var model = entry.TryGetProperty("lm", out var lm) && lm.ValueKind == JsonValueKind.Object ? lm : (JsonElement?)null;
        return new()
        {
            Instructions = saved.TryGetProperty("instructions", out var instructions) ? instructions.GetString() : null,
            FieldDescriptions = Descriptions(fields, signature),
            Demos = source.ReadDemos(entry, path, (demo, where) => ReadDemo(demo, signature, source, where)),
            Options = model is { } options ? ReadOptions(options) : null,
            Model = model?.TryGetProperty("model", out var name) == true && models.ContainsKey(name.GetString()!) ? name.GetString() : null,
        };
    }

    // A label that belongs to another field says that the fields have moved; one that belongs to none was tuned, and the position counts.
    private static void CheckFields(JsonElement[] saved, Signature signature, ProgramFileSource source, string path)
    {
        string Label(SignatureField field) => $"{field.Prefix ?? NamingRules.Label(field.Name)}:";

        var labels = saved.Select(field => field.TryGetProperty("prefix", out var prefix) ? prefix.GetString() : null).ToArray();
        var moved = labels.Length != signature.Fields.Length || labels.Where((label, index) =>
            label != Label(signature.Fields[index]) && signature.Fields.Any(field => Label(field) == label)).Any();
        if (moved)
            source.Refuse(
                $"predictor '{path}' has the fields {string.Join(" ", labels)} in the file and "
                + $"{string.Join(" ", signature.Fields.Select(Label))} in the module ({signature.Shape})");
    }

    private static ImmutableSortedDictionary<string, string> Descriptions(JsonElement[] saved, Signature signature)
    {
        var descriptions = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < Math.Min(saved.Length, signature.Fields.Length); i++)
        {
            var field = signature.Fields[i];
            var text = saved[i].TryGetProperty("description", out var description) ? description.GetString() : null;
            if (text is not null && text != $"${{{field.Name}}}" && text != field.Description)
                descriptions[field.Name] = text;
        }

        return descriptions.ToImmutable();
    }

    private static Demo? ReadDemo(JsonElement demo, Signature signature, ProgramFileSource source, string where)
    {
        // Columns of a data set that are no fields travel along in these files; they never reach a prompt.
        var values = new List<KeyValuePair<string, object?>>();
        foreach (var value in demo.EnumerateObject())
        {
            if (signature.Find(value.Name) is not { } field)
                continue;
            if (!source.TryReadValue(value.Value, field, where, out var read))
                return null;
            values.Add(new(value.Name, read));
        }

        return new(FieldMap.Create(values), demo.TryGetProperty("augmented", out var augmented) && augmented.ValueKind == JsonValueKind.True);
    }

    private static CallOptions? ReadOptions(JsonElement lm)
    {
        float? Number(string name) => lm.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetSingle() : null;

        var options = new CallOptions
        {
            Temperature = Number("temperature"),
            TopP = Number("top_p"),
            MaxOutputTokens = (int?)(Number("max_tokens") ?? Number("max_completion_tokens")),
        };
        return options == new CallOptions() ? null : options;
    }
}
