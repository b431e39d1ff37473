using System.Text.Json;

namespace Hone.Conformance;

/// <summary>One text and what the repair made of it.</summary>
internal sealed record JsonRepairAttempt(string Text, object? Expected, JsonRepairResult Actual);

/// <summary>json_repair.json: texts through the JSON repair alone.</summary>
internal sealed class JsonRepairSuite : IVectorSuite
{
    public string Name => "json_repair";

    public IEnumerable<CaseResult> Run(string vectors) => VectorFile.Open(vectors, Name).Items("cases").Select(Evaluate);

    private static CaseResult Evaluate(JsonElement recorded)
    {
        var text = recorded.GetProperty("text").GetString()!;
        var expected = VectorValues.Read(recorded.GetProperty("value"), FieldType.Any);
        var attempt = new JsonRepairAttempt(text, expected, JsonRepair.Parse(text));
        var matches = expected is string { Length: 0 }
            ? !attempt.Actual.Found || attempt.Actual.Value is string { Length: 0 }
            : attempt.Actual.Found && VectorValues.Same(expected, attempt.Actual.Value);
        var found = attempt.Actual.Found ? JsonText.Write(attempt.Actual.Value) : "nothing";
        return CaseResult.From(recorded.Id(), matches ? null : $"{JsonText.Write(text)}: expected {JsonText.Write(expected)}, got {found}", attempt, JsonRepairDifferences.Rules);
    }
}
