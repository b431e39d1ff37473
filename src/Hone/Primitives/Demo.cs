namespace Hone;

/// <summary>A worked example shown to the model: some or all of a signature's inputs and outputs.</summary>
/// <param name="Fields">Values by field name.</param>
/// <param name="IsAugmented">True when an optimizer produced it by running the program; false for a labelled one.</param>
public sealed record Demo(FieldMap Fields, bool IsAugmented = false);
