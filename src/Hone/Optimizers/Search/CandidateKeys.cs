using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Hone.Optimizers;

/// <summary>
/// Short keys of programs with their states: equal programs and states have one key. A key rests on everything that changes what models are asked or
/// answer: effective instructions and fields, demos, options, tools, models, adapter, recovery. Code is not part of it.
/// </summary>
internal static class CandidateKeys
{
    /// <param name="program">The program.</param>
    /// <param name="slot">What tells programs of one run apart that look alike, e.g. <c>student</c>, <c>teacher0</c>.</param>
    public static string Of<TIn, TOut>(Program<TIn, TOut> program, string slot)
    {
        var text = new StringBuilder();
        Field(text, slot);
        Field(text, ProgramParts.Frame(program));
        foreach (var (path, signature) in program.Predictors)
        {
            Field(text, path);
            Field(text, ProgramParts.Instructions(signature));
            ProgramParts.WriteFields(text, signature);
            ProgramParts.WriteState(text, program.State[path]);
        }

        ProgramParts.WriteTools(text, program.Tools);
        ProgramParts.WriteBanks(text, program.State);
        return Digest(text);
    }

    /// <summary>A digest of a text, long enough to notice a difference.</summary>
    public static string Digest(StringBuilder text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..16];

    private static void Field(StringBuilder text, string value)
    {
        JsonText.WriteString(text, value);
        text.Append('\n');
    }
}

/// <summary>The parts of a program that its answers depend on, as text.</summary>
internal static class ProgramParts
{
    private const int Short = 8;

    /// <summary>
    /// A program as the identity of a run names it: a short digest of each part, so that a run that is refused can say which part has changed.
    /// </summary>
    public static string Identity<TIn, TOut>(Program<TIn, TOut> program)
    {
        var parts = new List<string>();
        foreach (var (path, signature) in program.Predictors)
        {
            parts.Add($"{path}: {signature}");
            parts.Add($"instructions of {path}: {Digest(text => text.Append(Instructions(signature)))}");
            parts.Add($"fields of {path}: {Digest(text => WriteFields(text, signature))}");
            parts.Add($"demos and options of {path}: {Digest(text => WriteState(text, program.State[path]))}");
        }

        if (!program.Tools.IsEmpty)
            parts.Add($"tools: {Digest(text => WriteTools(text, program.Tools))}");
        if (!program.State.DemoBanks.IsEmpty)
            parts.Add($"demo banks: {Digest(text => WriteBanks(text, program.State))}");
        parts.Add(Frame(program));
        return string.Join(RunIdentity.Separator, parts);
    }

    /// <summary>A module that writes texts: its name, and a digest of what its predictors are told.</summary>
    public static string Identity<TIn, TOut>(Module<TIn, TOut> module)
    {
        var program = new Program<TIn, TOut>(module);
        var name = module.GetType().Name.Split('`')[0];
        return program.Predictors.IsEmpty ? name : $"{name} {CandidateKeys.Of(program, name)[..Short]}";
    }

    /// <summary>A model: its name, what it is set to, and who takes over from it.</summary>
    public static string Identity(LM? model)
    {
        if (model is null)
            return string.Empty;
        var text = model.Options == new CallOptions()
            ? model.Name
            : $"{model.Name} {JsonSerializer.Serialize(model.Options, ProgramFileJson.Default.CallOptions)}";
        return model.Failover.IsDefaultOrEmpty ? text : $"{text}, else {string.Join(", ", model.Failover.Select(Identity))}";
    }

    /// <summary>What surrounds the predictors: models, adapter, recovery.</summary>
    public static string Frame<TIn, TOut>(Program<TIn, TOut> program)
    {
        var text = new StringBuilder().Append("model: ").Append(Identity(program.Model)).Append(RunIdentity.Separator)
            .Append("format: ").Append(program.Adapter.Name).Append(RunIdentity.Separator)
            .Append("recovery: ").Append(Recovery(program.Recovery));
        foreach (var (name, model) in program.NamedModels.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            text.Append(RunIdentity.Separator).Append("model ").Append(name).Append(": ").Append(Identity(model));
        return text.ToString();
    }

    /// <summary>What a predictor is told.</summary>
    public static string Instructions(Signature signature) => signature.Instructions;

    /// <summary>Fields with types, descriptions, defaults and bounds, at every depth.</summary>
    public static void WriteFields(StringBuilder text, Signature signature)
    {
        foreach (var field in signature.Fields)
        {
            text.Append(field.Direction == FieldDirection.Input ? "in " : "out ").Append(field.Name).Append(' ');
            WriteType(text, field.Type, []);
            Text(text, field.Description);
            Text(text, field.Prefix);
            if (field.HasDefault)
                JsonText.Write(text.Append(" = "), field.Default);
            foreach (var constraint in field.Constraints)
                text.Append(' ').Append(constraint.Kind).Append(' ').Append(JsonText.Write(constraint.Value));
            text.Append('\n');
        }
    }

    /// <summary>Demos, options and model of a predictor.</summary>
    public static void WriteState(StringBuilder text, PredictorState state)
    {
        foreach (var demo in state.Demos)
        {
            text.Append(demo.IsAugmented ? "augmented " : "demo ");
            JsonText.Write(text, WithoutTools(demo.Fields));
            text.Append('\n');
        }

        if (state.Options is not null)
            text.Append("options ").Append(JsonSerializer.Serialize(state.Options, ProgramFileJson.Default.CallOptions)).Append('\n');
        if (state.Model is not null)
            text.Append("model ").Append(state.Model).Append('\n');
    }

    /// <summary>Tools as models are shown them.</summary>
    public static void WriteTools(StringBuilder text, IEnumerable<KeyValuePair<string, AIFunction>> tools)
    {
        foreach (var (path, tool) in tools)
        {
            text.Append("tool ").Append(path).Append(' ').Append(tool.Name);
            Text(text, tool.Description);
            text.Append(tool.JsonSchema.ValueKind == JsonValueKind.Undefined ? string.Empty : tool.JsonSchema.GetRawText()).Append('\n');
        }
    }

    /// <summary>Banks of demos, embeddings included.</summary>
    public static void WriteBanks(StringBuilder text, ProgramState state)
    {
        if (!state.DemoBanks.IsEmpty)
            text.Append(DemoBankFile.Write(state.DemoBanks).ToJsonString());
    }

    private static string Digest(Action<StringBuilder> write)
    {
        var text = new StringBuilder();
        write(text);
        return CandidateKeys.Digest(text)[..Short];
    }

    private static string Recovery(RecoveryPolicy policy) => FormattableString.Invariant($"{policy.ReAsks} re-asks, then {policy.NextAdapter?.Name ?? "nothing"}");

    private static void WriteType(StringBuilder text, FieldType type, HashSet<string> open)
    {
        text.Append(type);
        foreach (var member in type.Members)
            text.Append('|').Append(JsonText.Write(member.Value));
        foreach (var literal in type.Literals)
            text.Append('|').Append(JsonText.Write(literal));
        foreach (var argument in type.Arguments)
            WriteType(text.Append('<'), argument, open);
        if (type.Properties.IsEmpty || !open.Add(type.Name ?? string.Empty))
            return;
        foreach (var property in type.Properties)
        {
            text.Append('{').Append(property.Name).Append(property.IsRequired ? ": " : "?: ");
            WriteType(text, property.Type, open);
            Text(text, property.Description);
            foreach (var constraint in property.Constraints)
                text.Append(' ').Append(constraint.Kind).Append(' ').Append(JsonText.Write(constraint.Value));
            text.Append('}');
        }

        open.Remove(type.Name ?? string.Empty);
    }

    private static void Text(StringBuilder text, string? value)
    {
        text.Append(' ');
        JsonText.Write(text, value);
    }

    private static FieldMap WithoutTools(FieldMap fields) =>
        fields.Any(field => ProgramFileWriter.HoldsTools(field.Value)) ? FieldMap.Create(fields.Where(field => !ProgramFileWriter.HoldsTools(field.Value))) : fields;
}
