using System.Collections.Immutable;
using System.Text.Json;

namespace Hone.Conformance;

/// <summary>One vote; the index is null when it was refused.</summary>
internal sealed record MajorityAttempt(ImmutableArray<FieldMap> Completions, string? Field, bool Normalizes, string? Error, int? Index);

/// <summary>majority.json.</summary>
internal sealed class MajoritySuite : IVectorSuite
{
    private static readonly DifferenceRule<MajorityAttempt>[] Rules =
    [
        new(
            "majority-any-value",
            "values other than text vote as they are: numbers, booleans and lists count, null does not",
            attempt => attempt is { Error: "TypeError", Index: { } index } && index == Reference(attempt)),
    ];

    public string Name => "majority";

    public IEnumerable<CaseResult> Run(string vectors) => VectorFile.Open(vectors, Name).Items("cases").Select(Evaluate);

    private static CaseResult Evaluate(JsonElement recorded)
    {
        var completions = recorded.Items("completions").Select(each => (FieldMap)VectorValues.Read(each, FieldType.Any)!).ToImmutableArray();
        var options = recorded.GetProperty("options");
        var attempt = Vote(completions, options.Text("field"), options.Text("normalize") != "none", recorded.Text("error"));
        var mismatch = !recorded.IsOk() ? attempt.Index is { } chosen ? $"expected an error, got completion {chosen}" : null
            : attempt.Index != recorded.GetProperty("chosen").GetInt32() ? $"expected {recorded.GetProperty("chosen")}, got {attempt.Index}"
            : VectorValues.Mismatch(recorded.GetProperty("result"), completions[attempt.Index.Value], FieldType.Any);
        return CaseResult.From(recorded.Id(), mismatch, attempt, Rules);
    }

    private static MajorityAttempt Vote(ImmutableArray<FieldMap> completions, string? field, bool normalizes, string? error)
    {
        try
        {
            return new(completions, field, normalizes, error, Majority.IndexOf(completions, field, normalizes ? null : value => value));
        }
        catch (HoneException)
        {
            return new(completions, field, normalizes, error, null);
        }
    }

    // A plain count over the values written as JSON.
    private static int Reference(MajorityAttempt attempt)
    {
        var field = attempt.Field ?? attempt.Completions[0].Keys.Last();
        var votes = attempt.Completions
            .Select((completion, index) => (Value: attempt.Normalizes ? Majority.NormalizeText(completion[field]) : completion[field], Index: index))
            .Where(vote => vote.Value is not null)
            .GroupBy(vote => JsonText.Write(vote.Value))
            .OrderByDescending(group => group.Count())
            .FirstOrDefault();
        return votes?.First().Index ?? 0;
    }
}
