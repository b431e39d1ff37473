namespace Hone;

/// <summary>Advice for one call, shown to the model as a further input. It is part of no signature, trace or demo.</summary>
internal static class PredictorHint
{
    /// <summary>Name of the input.</summary>
    public const string Field = "hint_";

    private const string Description = "What to mind this time";

    /// <summary>What there is to say of a call: advice from an earlier attempt, a note on this turn; null for nothing.</summary>
    public static string? Of(HoneScope scope, Predictor predictor, ToolUse? toolUse)
    {
        var advice = scope.Hints?.GetValueOrDefault(predictor);
        return toolUse?.Note is not { } note ? advice : advice is null ? note : $"{advice}\n{note}";
    }

    /// <summary>The request with advice as its last input.</summary>
    public static AdapterRequest Added(AdapterRequest request, string hint)
    {
        var name = Field;
        while (request.Signature.Find(name) is not null)
            name += "_";
        var field = new SignatureField(name, FieldType.String, FieldDirection.Input) { Description = Description };
        return request with { Signature = request.Signature.Append(field), Inputs = request.Inputs.With(name, hint) };
    }
}
