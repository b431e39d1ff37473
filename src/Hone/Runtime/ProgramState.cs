using System.Collections.Immutable;

namespace Hone;

/// <summary>What an optimizer may change about one predictor. Null or empty means: as the signature says.</summary>
public sealed record PredictorState
{
    /// <summary>A predictor as its signature declares it.</summary>
    public static PredictorState Default { get; } = new();

    /// <summary>Instructions in place of the signature's.</summary>
    public string? Instructions { get; init; }

    /// <summary>Worked examples in the prompt.</summary>
    public ImmutableArray<Demo> Demos { get; init; } = [];

    /// <summary>Descriptions in place of the signature's, by field name.</summary>
    public ImmutableSortedDictionary<string, string> FieldDescriptions { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Sampling options over the model's.</summary>
    public CallOptions? Options { get; init; }

    /// <summary>Name of the program's model that this predictor uses; null for the default one.</summary>
    public string? Model { get; init; }

    /// <summary>The signature with this state laid over it.</summary>
    public Signature Apply(Signature signature)
    {
        if (Instructions is null && FieldDescriptions.IsEmpty)
            return signature;
        var fields = signature.Fields.Select(field =>
            FieldDescriptions.TryGetValue(field.Name, out var description) ? field with { Description = description } : field);
        return new(fields, Instructions ?? signature.Instructions, signature.Name);
    }

    /// <summary>Structural equality.</summary>
    public bool Equals(PredictorState? other) => other is not null
        && Instructions == other.Instructions
        && Demos.SequenceEqual(other.Demos)
        && FieldDescriptions.SequenceEqual(other.FieldDescriptions)
        && Equals(Options, other.Options)
        && Model == other.Model;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Instructions, Demos.Length, FieldDescriptions.Count, Options, Model);
}

/// <summary>The data of a program: one state per predictor path, texts of its tools, banks of demos. A candidate of an optimizer, and what is saved.</summary>
/// <param name="Predictors">State by path; a missing path means the default state.</param>
public sealed record ProgramState(ImmutableSortedDictionary<string, PredictorState> Predictors)
{
    /// <summary>Every predictor as its signature declares it.</summary>
    public static ProgramState Default { get; } = new(ImmutableSortedDictionary<string, PredictorState>.Empty);

    /// <summary>
    /// What models are told of tools, in place of what the tools say of themselves, by the path of the tool: that of its agent, a dot, and the tool's
    /// own name (<c>react.search</c>; <c>search</c> where the agent is the program). A missing path means: as the tool says.
    /// </summary>
    public ImmutableSortedDictionary<string, ToolText> Tools { get; init; } = ImmutableSortedDictionary.Create<string, ToolText>(StringComparer.Ordinal);

    /// <summary>
    /// Demos that calls choose from, by the path of the <c>KnnDemos</c> module that does so; <c>self</c> where that is the program. <see cref="With"/> leaves
    /// them as they are.
    /// </summary>
    public ImmutableSortedDictionary<string, DemoBank> DemoBanks { get; init; } = ImmutableSortedDictionary.Create<string, DemoBank>(StringComparer.Ordinal);

    /// <summary>The state of one predictor.</summary>
    public PredictorState this[string path] => Predictors.GetValueOrDefault(path, PredictorState.Default);

    /// <summary>This state with one predictor changed.</summary>
    public ProgramState With(string path, PredictorState state) => this with { Predictors = Predictors.SetItem(path, state) };

    /// <summary>This state with the texts of one tool changed.</summary>
    public ProgramState WithTool(string path, ToolText text) => this with { Tools = Tools.SetItem(path, text) };

    /// <summary>Structural equality.</summary>
    public bool Equals(ProgramState? other) => other is not null
        && Predictors.SequenceEqual(other.Predictors)
        && Tools.SequenceEqual(other.Tools)
        && DemoBanks.SequenceEqual(other.DemoBanks);

    /// <inheritdoc/>
    public override int GetHashCode() =>
        Predictors.Aggregate(Tools.Count, (hash, entry) => HashCode.Combine(hash, entry.Key, entry.Value));
}
