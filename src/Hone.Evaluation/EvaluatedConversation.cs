using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;

namespace Hone.Evaluation;

/// <summary>What <see cref="IEvaluator.EvaluateAsync"/> takes.</summary>
/// <param name="Messages">What led to the answer.</param>
/// <param name="Response">The answer.</param>
/// <param name="Context">What evaluators look at beside the conversation.</param>
public sealed record EvaluatedConversation(IReadOnlyList<ChatMessage> Messages, ChatResponse Response, IReadOnlyList<EvaluationContext> Context);
