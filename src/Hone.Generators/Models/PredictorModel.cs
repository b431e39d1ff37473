namespace Hone.Generators;

/// <summary>How the result of the method relates to the output fields.</summary>
internal enum ResultShape
{
    /// <summary>The result is the value of the single output field.</summary>
    Value,

    /// <summary>The elements of a named tuple are the output fields.</summary>
    Tuple,

    /// <summary>The properties of the user's own type are the output fields.</summary>
    Record,
}

/// <summary>One field: a property of a generated record.</summary>
/// <param name="Property">Name of the property.</param>
/// <param name="Type">Fully qualified type.</param>
/// <param name="Attributes">Attribute lists as C# text, each with its brackets.</param>
/// <param name="Default">Default value as C# text; null without one.</param>
internal sealed record FieldModel(string Property, string Type, EquatableArray<string> Attributes, string? Default);

/// <summary>One predictor method: everything that its generated half needs, as text. Holds no symbols, no syntax and no positions.</summary>
internal sealed record PredictorModel
{
    public required ModuleModel Module { get; init; }

    /// <summary>Place among the predictor methods of the class, in declaration order.</summary>
    public required int Order { get; init; }

    /// <summary>Name of the Hone module behind it: Predict, ChainOfThought or ReAct.</summary>
    public required string Kind { get; init; }

    public required string? Instructions { get; init; }

    public required string Path { get; init; }

    /// <summary>Accessibility and other modifiers of the method, without <c>partial</c>.</summary>
    public required string Modifiers { get; init; }

    public required string ReturnType { get; init; }

    public required string Method { get; init; }

    /// <summary>The parameter list, one declaration each.</summary>
    public required EquatableArray<string> Parameters { get; init; }

    /// <summary>The arguments for the input record.</summary>
    public required EquatableArray<string> Arguments { get; init; }

    /// <summary>The expression passed as cancellation token.</summary>
    public required string CancellationToken { get; init; }

    /// <summary>The parameter with options of this call; null without one.</summary>
    public required string? Options { get; init; }

    /// <summary>The T of a Prediction&lt;T&gt; that the method returns; null when it returns the value itself.</summary>
    public required string? PredictionType { get; init; }

    /// <summary>True when the method gives the text of its single output piece by piece.</summary>
    public required bool IsStream { get; init; }

    /// <summary>Name of the field that holds the predictor.</summary>
    public required string Field { get; init; }

    /// <summary>What an agent needs beside; null for other predictors.</summary>
    public required AgentModel? Agent { get; init; }

    /// <summary>Name of the method that makes the predictor, when there is something to keep first.</summary>
    public required string Factory { get; init; }

    /// <summary>Statements that keep nested types whole in trimmed programs.</summary>
    public required EquatableArray<string> Kept { get; init; }

    /// <summary>Name of the local that holds the output record; no parameter has it.</summary>
    public required string OutputLocal { get; init; }

    public required string InputType { get; init; }

    public required string OutputType { get; init; }

    public required ResultShape Shape { get; init; }

    public required EquatableArray<FieldModel> Inputs { get; init; }

    /// <summary>The outputs; empty for <see cref="ResultShape.Record"/>.</summary>
    public required EquatableArray<FieldModel> Outputs { get; init; }
}

/// <summary>What an agent method names, as expressions of its class.</summary>
/// <param name="Tools">The tools.</param>
/// <param name="Options">The options; <c>null</c> without.</param>
/// <param name="Holder">Name of the field that holds the agent once it is made.</param>
internal sealed record AgentModel(string Tools, string Options, string Holder);

/// <summary>The class around predictor methods.</summary>
/// <param name="Namespace">Its namespace; empty for the global one.</param>
/// <param name="Declarations">Declarations to open, outermost first, the class itself last: <c>partial class Hop&lt;T&gt;</c>.</param>
/// <param name="HintName">Name of the generated file.</param>
/// <param name="GetChildrenModifiers">Modifiers of the GetChildren override; null when the class writes its own.</param>
internal sealed record ModuleModel(string Namespace, EquatableArray<string> Declarations, string HintName, string? GetChildrenModifiers);

/// <summary>A class with its predictors in declaration order: the unit of generated source.</summary>
internal sealed record ModuleSource(ModuleModel Module, EquatableArray<PredictorModel> Predictors);
