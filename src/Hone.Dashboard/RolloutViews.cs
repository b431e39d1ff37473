using Hone.Reinforcement;
using Microsoft.Extensions.AI;

namespace Hone.Optimizers;

/// <summary>Turns rollouts into what a page shows of them.</summary>
internal sealed class RolloutViews(ITokenTextSource? texts)
{
    private const int ShownInput = 160;

    public static StepRollouts Summarize(int step, IReadOnlyList<Rollout> rollouts) => new(step,
    [
        .. rollouts.Select((rollout, position) => new RolloutSummary(
            position, rollout.ExampleIndex, rollout.RolloutIndex, rollout.Teacher, rollout.Outcome, rollout.Reward, rollout.Trace.Calls.Length,
            rollout.Trace.Calls.Count(call => call.Failure is not null), InputOf(rollout))),
    ]);

    public static StepRollouts Summarize(int step, IReadOnlyList<StoredRollout> rollouts) => new(step,
    [
        .. rollouts.Select((rollout, position) => new RolloutSummary(
            position, rollout.Example, rollout.Rollout, rollout.Teacher, rollout.Outcome, rollout.Reward, rollout.Calls.Count,
            rollout.Calls.Count(call => call.Failure is not null), null)),
    ]);

    public RolloutView Show(int step, int position, Rollout rollout, IReadOnlyDictionary<PredictorCall, double> advantages) => new()
    {
        Step = step,
        Position = position,
        Example = rollout.ExampleIndex,
        Rollout = rollout.RolloutIndex,
        Teacher = rollout.Teacher,
        Seed = $"{rollout.Seed}",
        Outcome = rollout.Outcome,
        Reward = rollout.Reward,
        Parts = rollout.Parts,
        Feedback = rollout.Feedback,
        Error = rollout.Error?.Message,
        AdvantageScale = advantages.Count == 0 ? 0 : advantages.Values.Max(Math.Abs),
        Calls = [.. rollout.Trace.Calls.Select(call => Show(call, advantages.TryGetValue(call, out var advantage) ? advantage : null))],
    };

    public RolloutView Show(int step, int position, IReadOnlyList<StoredRollout> all)
    {
        var rollout = all[position];
        return new()
        {
            Step = step,
            Position = position,
            Example = rollout.Example,
            Rollout = rollout.Rollout,
            Teacher = rollout.Teacher,
            Seed = $"{rollout.Seed}",
            Outcome = rollout.Outcome,
            Reward = rollout.Reward,
            Parts = rollout.Parts ?? new Dictionary<string, double>(),
            Feedback = rollout.Feedback,
            Error = rollout.Error,
            AdvantageScale = all.SelectMany(each => each.Calls).Max(call => Math.Abs(call.Advantage ?? 0)),
            Calls = [.. rollout.Calls.Select(Show)],
        };
    }

    private CallView Show(PredictorCall call, double? advantage) => new()
    {
        Predictor = call.Path,
        Ordinal = call.Ordinal,
        Attempt = call.Attempt,
        Model = call.Model,
        Messages = [.. call.Messages.Select(message => new MessageView(message.Role.Value, TextOf(message)))],
        Text = call.Text,
        Failure = call.Failure?.Message,
        IsTruncated = call.Tokens?.IsTruncated == true || call.FinishReason == ChatFinishReason.Length,
        IsRepaired = call.IsRepaired,
        Advantage = advantage,
        PolicyVersion = call.Tokens?.PolicyVersion,
        Seconds = call.Duration.TotalSeconds,
        PromptTokens = call.Tokens?.PromptIds.Count ?? 0,
        Tokens = call.Tokens is { } tokens ? Show(tokens.CompletionIds, tokens.LogProbs) : null,
    };

    private CallView Show(StoredCall call) => new()
    {
        Predictor = call.Predictor,
        Ordinal = call.Ordinal,
        Messages = texts is not null && call.PromptIds is { } prompt ? [new("as tokens", string.Concat(texts.TextsOf(prompt)))] : [],
        Text = call.Text,
        Failure = call.Failure,
        IsTruncated = call.IsTruncated,
        Advantage = call.Advantage,
        PolicyVersion = call.PolicyVersion,
        PromptTokens = call.PromptIds?.Count ?? 0,
        Tokens = call.CompletionIds is { } ids ? Show(ids, call.LogProbs ?? []) : null,
    };

    private TokensView Show(IReadOnlyList<int> ids, IReadOnlyList<float> logProbs) => new(ids, logProbs, texts?.TextsOf(ids));

    // What is no text is named by its kind.
    private static string TextOf(ChatMessage message) => string.Concat(message.Contents.Select(content => content switch
    {
        TextContent text => text.Text,
        DataContent data => $"[{data.MediaType}]",
        UriContent link => $"[{link.MediaType}]",
        _ => $"[{content.GetType().Name}]",
    }));

    private static string? InputOf(Rollout rollout)
    {
        if (rollout.Trace.Calls.IsEmpty)
            return null;
        var text = string.Join(" · ", rollout.Trace.Calls[0].Inputs.Select(entry => entry.Value).OfType<string>().Where(value => value.Length > 0).Take(2)).ReplaceLineEndings(" ");
        return text.Length <= ShownInput ? text : text[..ShownInput] + "…";
    }
}
