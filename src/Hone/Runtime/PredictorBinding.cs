namespace Hone;

/// <summary>What a program knows of one of its predictors: made once per program, so that a call only looks it up.</summary>
/// <param name="Path">The dotted path.</param>
/// <param name="State">The state in effect.</param>
/// <param name="Signature">The signature with the state laid over it.</param>
internal sealed record PredictorBinding(string Path, PredictorState State, Signature Signature);
