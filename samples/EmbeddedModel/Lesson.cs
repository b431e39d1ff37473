using System.Collections.Immutable;

namespace EmbeddedModel;

/// <summary>One call to learn from: what a predictor is given and what it should write.</summary>
internal sealed record Lesson(Signature Signature, FieldMap Inputs, FieldMap Outputs)
{
    /// <summary>A list of texts as a canonical field value.</summary>
    public static ImmutableArray<object?> ListOf(IEnumerable<string> items) => [.. items];
}
