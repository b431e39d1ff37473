using Hone.Reinforcement;

namespace Hone.Optimizers;

/// <summary>The longest prompt of a predictor that a set makes.</summary>
/// <param name="Path">The predictor.</param>
/// <param name="Tokens">Tokens of the prompt.</param>
/// <param name="Set">The set, e.g. "training".</param>
/// <param name="Example">Its example, in words.</param>
/// <param name="IsMeasured">True when it was sent; false when its length is judged by that of the example's texts.</param>
internal sealed record LongPrompt(string Path, int Tokens, string Set, string Example, bool IsMeasured);

/// <summary>
/// How long prompts will become over whole sets, though few examples are run: a prompt that was sent tells how many tokens are around the texts of its
/// example, and how many a character takes; the texts of any other example are put in their place. That costs no call, and no run of the program.
/// </summary>
internal static class LongestPrompts
{
    // A shorter text may be found within another by chance; then it must be a field's whole value.
    private const int LongEnough = 24;

    /// <summary>The longest measured prompt of each predictor, and the longest that each set is expected to make.</summary>
    /// <param name="data">The sets.</param>
    /// <param name="rollouts">What was run: the first examples of the training set.</param>
    /// <param name="learning">Paths of the predictors that are looked at.</param>
    public static IReadOnlyList<LongPrompt> Of<TIn, TOut>(GrpoData<TIn, TOut> data, IReadOnlyList<Rollout> rollouts, IReadOnlyCollection<string> learning)
    {
        var sent = rollouts
            .SelectMany(rollout => rollout.Trace.Calls.Where(call => learning.Contains(call.Path)).Select(call => new SentPrompt(rollout.ExampleIndex, call, TokensOf(call))))
            .Where(prompt => prompt.Tokens > 0)
            .ToArray();
        if (sent.Length == 0)
            return [];
        var seen = rollouts.Select(rollout => rollout.ExampleIndex).ToHashSet();
        var train = TextsOf(data.DistinctTrain);
        var sets = new List<(string Name, string[] Examples, Dictionary<string, string>[] Texts, int[] Unseen)>
        {
            ("training", NamesOf(data.DistinctTrain), train, [.. Enumerable.Range(0, train.Length).Where(index => !seen.Contains(index))]),
        };
        if (data.Validation is { } validation && !ReferenceEquals(validation, data.DistinctTrain))
            sets.Add(("validation", NamesOf(validation), TextsOf(validation), [.. Enumerable.Range(0, validation.Count)]));
        var found = new List<LongPrompt>();
        foreach (var prompts in sent.GroupBy(prompt => prompt.Call.Path))
        {
            var longest = prompts.MaxBy(prompt => prompt.Tokens)!;
            found.Add(new(prompts.Key, longest.Tokens, sets[0].Name, sets[0].Examples[longest.Example], IsMeasured: true));
            var frames = FramesOf(prompts, train);
            foreach (var (name, examples, texts, unseen) in sets)
            {
                if (frames.Length == 0 || unseen.Length == 0)
                    continue;
                var (index, tokens) = unseen.Select(index => (Index: index, Tokens: frames.Max(frame => frame.TokensWith(texts[index])))).MaxBy(entry => entry.Tokens);
                found.Add(new(prompts.Key, tokens, name, examples[index], IsMeasured: false));
            }
        }

        return found;
    }

    /// <summary>Of the prompts that were sent with the same texts of their example, the frame that is longest.</summary>
    private static PromptFrame[] FramesOf(IEnumerable<SentPrompt> prompts, Dictionary<string, string>[] train) =>
        [.. prompts
            .Select(prompt => FrameOf(prompt, train[prompt.Example]))
            .Where(frame => frame is not null)
            .GroupBy(frame => string.Join('\n', frame!.Fields))
            .Select(frames => frames.MaxBy(frame => frame!.Tokens)!)];

    private static PromptFrame? FrameOf(SentPrompt prompt, Dictionary<string, string> texts)
    {
        var length = prompt.Call.Messages.Sum(message => message.Text.Length);
        string[] inputs = [.. prompt.Call.Inputs.Select(input => ValueFormatter.Format(input.Value, FieldType.Any))];
        string[] fields = [.. texts
            .Where(text => inputs.Any(input => input == text.Value || (text.Value.Length >= LongEnough && input.Contains(text.Value, StringComparison.Ordinal))))
            .Select(text => text.Key)
            .Order(StringComparer.Ordinal)];
        if (length == 0 || fields.Length == 0)
            return null;
        var perCharacter = prompt.Tokens / (double)length;
        return new(fields, prompt.Tokens - (perCharacter * fields.Sum(field => texts[field].Length)), perCharacter);
    }

    // A service that keeps its tokens to itself still counts them.
    private static int TokensOf(PredictorCall call) => call.Tokens?.PromptIds.Count ?? (int)Math.Min(call.Usage.InputTokens, int.MaxValue);

    private static Dictionary<string, string>[] TextsOf<TIn, TOut>(IReadOnlyList<Example<TIn, TOut>> examples) => [.. examples.Select(TextsOf)];

    private static Dictionary<string, string> TextsOf<TIn, TOut>(Example<TIn, TOut> example)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        if (example.Input is null || (example.Input is not FieldMap && !ClrReflection.CanRead(example.Input.GetType())))
            return texts;
        try
        {
            foreach (var (name, value) in ExampleFields.InputsOf(example))
            {
                if (value is not null)
                    texts[name] = ValueFormatter.Format(value, FieldType.Any);
            }
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // A type that only the user's own module can take apart: its texts are not known, which must not end a run.
            texts.Clear();
        }

        return texts;
    }

    private static string[] NamesOf<TIn, TOut>(IReadOnlyList<Example<TIn, TOut>> examples) =>
        [.. examples.Select((example, index) => example.Id is { } id ? $"{index} ('{id}')" : FormattableString.Invariant($"{index}"))];

    private sealed record SentPrompt(int Example, PredictorCall Call, int Tokens);

    /// <summary>What is around an example's texts in a prompt.</summary>
    private sealed record PromptFrame(string[] Fields, double Tokens, double PerCharacter)
    {
        public int TokensWith(Dictionary<string, string> texts) =>
            (int)Math.Min(int.MaxValue, Math.Ceiling(Tokens + (PerCharacter * Fields.Sum(field => texts.GetValueOrDefault(field)?.Length ?? 0))));
    }
}
