using Microsoft.Extensions.AI;

namespace Hone.Reinforcement;

/// <summary>
/// Turns conversations into the tokens of a model and back, for services that speak tokens: the model's chat format and vocabulary. Hone.Engine's
/// <c>EnginePolicyTokenizer</c> reads those of a Hugging Face directory.
/// </summary>
public interface IPolicyTokenizer
{
    /// <summary>Tokens that end an answer.</summary>
    IReadOnlyList<int> StopIds { get; }

    /// <summary>The prompt: the conversation in the model's chat format, with the opening of the answer.</summary>
    IReadOnlyList<int> Encode(IReadOnlyList<ChatMessage> messages);

    /// <summary>The text of an answer, without special tokens.</summary>
    string Decode(IReadOnlyList<int> ids);
}
