using System.Text.Json.Serialization;

namespace Hone.Optimizers;

/// <summary>A text that a model wrote in place of a module's instructions.</summary>
/// <param name="ProposedInstructions">The text.</param>
public sealed record InstructionReply(string ProposedInstructions);

[JsonSerializable(typeof(InstructionReply))]
internal sealed partial class InstructionJson : JsonSerializerContext;
