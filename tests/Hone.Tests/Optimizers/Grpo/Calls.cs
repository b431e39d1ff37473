namespace Hone.Tests.Optimizers;

/// <summary>Recorded calls, made up for tests of what is done with them.</summary>
internal static class Calls
{
    private static readonly Signature Signature = Signature.Parse("question -> answer");

    /// <summary>A call of a predictor whose answer had so many tokens; without any, its model did not tell them.</summary>
    public static PredictorCall Make(string path, int tokens, bool isCut = false, int promptTokens = 1, double temperature = 1) => new()
    {
        Path = path,
        Ordinal = 0,
        Signature = Signature,
        Inputs = FieldMap.Empty,
        Messages = [],
        Model = "toy",
        Outputs = FieldMap.Empty,
        Tokens = tokens == 0 ? null : new(
            new int[promptTokens], new int[tokens], [.. Enumerable.Repeat(-0.5f, tokens)], PolicyVersion: 0, temperature, isCut),
    };
}
