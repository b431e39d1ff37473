using System.Text.Json;
using Hone.Testing;

namespace Hone.Conformance;

/// <summary>One file offered to a program: what was recorded of loading it, and what Hone made of it.</summary>
internal sealed record LoadAttempt(JsonElement Recorded, ProgramState? State, HoneException? Error);

/// <summary>saved_state.json: files that DSPy saved, and what loading altered ones does.</summary>
internal sealed class SavedStateSuite : IVectorSuite
{
    private static readonly DifferenceRule<LoadAttempt>[] Rules =
    [
        new(
            "state-strict", "a file with predictors or fields that the program does not have is refused, listing both sides; DSPy passes over them",
            attempt => attempt.Recorded.IsOk() && attempt.Error?.Message.Contains("does not fit module", StringComparison.Ordinal) == true),
        new(
            "state-lenient-extras", "a file without a model or without the versions of its libraries is read: neither is needed",
            attempt => !attempt.Recorded.IsOk() && attempt.Recorded.Text("message") is "'lm'" or "'metadata'" && attempt.State is not null),
    ];

    public string Name => "saved_state";

    public IEnumerable<CaseResult> Run(string vectors)
    {
        var file = VectorFile.Open(vectors, Name);
        var cases = file.Items("cases").ToList();
        foreach (var recorded in cases)
            yield return Evaluate(recorded.Id(), recorded.GetProperty("saved"), recorded.GetProperty("saved"), recorded.Items("predictors").Select(name => name.GetString()!));

        // What was altered is told in words; the file is the one with three demos.
        var original = cases.First(each => each.GetProperty("saved").TryGetProperty("predict", out var entry) && entry.Items("demos").Count() == 3).GetProperty("saved");
        foreach (var load in file.Items("loads"))
            yield return Load(load, original);
    }

    private static CaseResult Evaluate(string id, JsonElement saved, JsonElement file, IEnumerable<string> predictors)
    {
        var entries = predictors.ToDictionary(name => name, name => saved.TryGetProperty("signature", out _) ? saved : saved.GetProperty(name));
        var program = new SavedModule(entries).WithModel(ScriptedChatClient.InSequence());
        try
        {
            var state = program.LoadState(file.GetRawText(), id).State;
            var mismatch = entries.Select(entry => Mismatch(entry.Value, state[SavedModule.PathOf(entry.Key)], entry.Key)).FirstOrDefault(each => each is not null);
            return mismatch is null ? CaseResult.Pass(id) : CaseResult.Fail(id, mismatch);
        }
        catch (HoneException error)
        {
            return CaseResult.Fail(id, error.Message);
        }
    }

    private static CaseResult Load(JsonElement load, JsonElement original)
    {
        var change = load.Text("change")!;
        if (Alter(change, original) is not { } altered)
            return CaseResult.Fail(change, "an alteration that nobody has described yet");
        var program = new SavedModule(new() { ["predict"] = original.GetProperty("predict") }).WithModel(ScriptedChatClient.InSequence());
        LoadAttempt attempt;
        try
        {
            attempt = new(load, program.LoadState(altered, change).State, null);
        }
        catch (HoneException error)
        {
            attempt = new(load, null, error);
        }

        var isExpected = load.IsOk() == attempt.State is not null
            && (attempt.State is null || attempt.State["predict"].Demos.Length == load.GetProperty("demos").GetInt32());
        return CaseResult.From(change, isExpected ? null : $"recorded {(load.IsOk() ? "loaded" : "refused")}, got {attempt.Error?.Message ?? "loaded"}", attempt, Rules);
    }

    private static string? Alter(string change, JsonElement original)
    {
        var file = System.Text.Json.Nodes.JsonNode.Parse(original.GetRawText())!.AsObject();
        var predict = file["predict"]!.AsObject();
        switch (change)
        {
            case "missing predictor":
                file.Remove("predict");
                file["other"] = predict;
                break;
            case "extra key":
                file["other"] = predict.DeepClone();
                break;
            case "signature fields renamed":
                var fields = predict["signature"]!["fields"]!.AsArray();
                fields.Insert(0, fields[2]!.DeepClone());
                fields.RemoveAt(3);
                break;
            case "no lm key":
                predict.Remove("lm");
                break;
            case "no metadata":
                file.Remove("metadata");
                break;
            default:
                return null;
        }

        return file.ToJsonString();
    }

    private static string? Mismatch(JsonElement saved, PredictorState state, string name)
    {
        var signature = saved.GetProperty("signature");
        if (signature.Text("instructions") != state.Instructions)
            return $"{name}: expected the instructions {signature.Text("instructions")}, got {state.Instructions}";
        var demos = saved.Items("demos").ToList();
        if (demos.Count != state.Demos.Length)
            return $"{name}: expected {demos.Count} demos, got {state.Demos.Length}";
        for (var i = 0; i < demos.Count; i++)
        {
            var expected = demos[i].EnumerateObject().Where(value => value.Name != "augmented").ToList();
            var demo = state.Demos[i];
            if (demo.IsAugmented != demos[i].TryGetProperty("augmented", out _) || expected.Count != demo.Fields.Count)
                return $"{name}: demo {i} is {demo}";
            if (expected.Find(value => VectorValues.Mismatch(value.Value, demo.Fields[value.Name], FieldType.Any) is not null) is { Value.ValueKind: not JsonValueKind.Undefined } wrong)
                return $"{name}: demo {i} has another value for {wrong.Name}";
        }

        return null;
    }

    /// <summary>A program with the predictors of a saved file, made from their labels and descriptions.</summary>
    private sealed class SavedModule(Dictionary<string, JsonElement> entries) : Module<FieldMap, FieldMap>
    {
        private readonly List<KeyValuePair<string, Module>> children =
            [.. entries.Select(entry => KeyValuePair.Create(PathOf(entry.Key), (Module)new Predict(SignatureOf(entry.Value))))];

        /// <summary>A chain of thought is one predictor here, not a module with one inside.</summary>
        public static string PathOf(string name) =>
            name.EndsWith(".predict", StringComparison.Ordinal) ? name[..^".predict".Length] : name;

        protected internal override IEnumerable<KeyValuePair<string, Module>> GetChildren() => children;

        protected override Task<FieldMap> ForwardAsync(FieldMap input, CancellationToken cancellationToken) => throw new NotSupportedException();

        private static Signature SignatureOf(JsonElement entry)
        {
            var fields = entry.GetProperty("signature").Items("fields").ToList();
            return new(fields.Select((field, index) => new SignatureField(
                field.Text("prefix")!.TrimEnd(':').ToLowerInvariant().Replace(' ', '_'),
                FieldType.Any,
                index == fields.Count - 1 ? FieldDirection.Output : FieldDirection.Input)));
        }
    }
}
