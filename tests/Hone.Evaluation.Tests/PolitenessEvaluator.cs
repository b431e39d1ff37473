using System.Globalization;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.AI.Evaluation;

namespace Hone.Evaluation.Tests;

/// <summary>An evaluator as users write them: it asks the judge that it is given for a number from 1 to 5.</summary>
internal sealed class PolitenessEvaluator : IEvaluator
{
    public const string Politeness = "Politeness";
    public const string Short = "Short";

    public IReadOnlyCollection<string> EvaluationMetricNames => [Politeness, Short];

    public async ValueTask<EvaluationResult> EvaluateAsync(
        IEnumerable<ChatMessage> messages,
        ChatResponse modelResponse,
        ChatConfiguration? chatConfiguration = null,
        IEnumerable<EvaluationContext>? additionalContext = null,
        CancellationToken cancellationToken = default)
    {
        var politeness = new NumericMetric(Politeness);
        if (chatConfiguration is null)
        {
            politeness.AddDiagnostics(EvaluationDiagnostic.Error("No judge was given."));
        }
        else
        {
            var verdict = await chatConfiguration.ChatClient.GetResponseAsync(
                [new ChatMessage(ChatRole.User, $"{messages.Last().Text}|{modelResponse.Text}|{additionalContext?.FirstOrDefault()?.Name}")], cancellationToken: cancellationToken);
            if (double.TryParse(verdict.Text, CultureInfo.InvariantCulture, out var number))
                (politeness.Value, politeness.Reason) = (number, "It says please.");
            else
                politeness.AddDiagnostics(EvaluationDiagnostic.Error($"The judge said '{verdict.Text}'."));
        }

        return new(politeness, new BooleanMetric(Short, modelResponse.Text.Length < 20));
    }
}
