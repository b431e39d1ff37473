using System.Globalization;
using System.Text;

namespace Hone;

/// <summary>Asks a model what each predictor of a module should do otherwise.</summary>
internal sealed class RefineAdvisor
{
    private const string Instructions =
        "A program of several modules was run on some inputs, and its result is not good enough. Find out which modules are to blame: compare what each was given "
        + "with what it answered, and with what the reward asks for. Then give every module concrete advice for its next attempt at the same inputs: what to do "
        + "otherwise, in a sentence or two that it can follow without having seen this attempt, since it remembers nothing. Write N/A for modules that did well.";

    // Of a run of many calls the first and the last are shown.
    private const int MostOfTrajectory = 24_000;

    private readonly IReadOnlyList<KeyValuePair<string, Predictor>> predictors;
    private readonly string goal;

    public RefineAdvisor(Module module, string? goal)
    {
        predictors = ModuleTree.Collect(module);
        this.goal = goal ?? "A higher reward is better.";
        Predictor = new(new Signature(
            [
                In("program", "The modules: what each is given, what it answers, what it was told to do"),
                In("inputs", "What the program was run on"),
                In("trajectory", "What each module was given and answered, in order"),
                In("outputs", "What the program gave in the end"),
                In("goal", "What the reward asks for"),
                In("reward", "What the outputs were worth"),
                new("modules", FieldType.ListOf(FieldType.String), FieldDirection.Input) { Description = "The names of the modules" },
                new("discussion", FieldType.String, FieldDirection.Output) { Description = "Which module did what wrong" },
                new("advice", FieldType.DictionaryOf(FieldType.String, FieldType.String), FieldDirection.Output)
                {
                    Description = "For each module by its name: advice, or N/A",
                },
            ],
            Instructions,
            "Advice"));
    }

    public Predict Predictor { get; }

    /// <summary>Advice by predictor; null when there was no answer, or none that could be read.</summary>
    public async Task<IReadOnlyDictionary<object, string>?> AdviseAsync<TIn, TOut>(
        TIn input, Attempt<TOut> attempt, double? threshold, CancellationToken cancellationToken)
    {
        var fields = FieldMap.Of(
            ("program", Program()),
            ("inputs", AttemptText.Of(input)),
            ("trajectory", Trajectory(attempt.Trace)),
            ("outputs", attempt.Error is { } failure ? AttemptText.Cut($"None: {failure.Message}") : AttemptText.Of(attempt.Output)),
            ("goal", goal),
            ("reward", RewardText(attempt.Reward, threshold)),
            ("modules", ClrValues.List(predictors.Select(predictor => predictor.Key))));
        FieldMap outputs;
        try
        {
            outputs = await Predictor.CallAsync(fields, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (error is AdapterParseException or LMException && !AttemptErrors.IsFinal(error))
        {
            // An attempt without advice is still an attempt, and a series must not be lost over what only helps it.
            ModuleLog.NoAdvice(HoneScope.Current, error);
            return null;
        }

        var advice = (FieldMap)outputs["advice"]!;
        var hints = new Dictionary<object, string>(ReferenceEqualityComparer.Instance);
        foreach (var (name, predictor) in predictors)
        {
            if (advice.GetValueOrDefault(name) is string text && !string.IsNullOrWhiteSpace(text) && !IsNothing(text))
                hints.Add(predictor, text.Trim());
        }

        return hints;
    }

    private static SignatureField In(string name, string description) => new(name, FieldType.String, FieldDirection.Input) { Description = description };

    private static bool IsNothing(string text) => text.Trim().TrimEnd('.').Equals("N/A", StringComparison.OrdinalIgnoreCase);

    private string Program()
    {
        var text = new StringBuilder();
        foreach (var (name, predictor) in predictors)
        {
            var signature = HoneScope.Current?.Bindings?.GetValueOrDefault(predictor)?.Signature ?? predictor.Signature;
            text.Append(name).Append(": ").Append(signature.Shape).Append('\n').Append(AttemptText.Cut(signature.Instructions)).Append("\n\n");
        }

        return text.ToString().TrimEnd();
    }

    private string Trajectory(Trace trace)
    {
        var names = predictors.ToDictionary(
            predictor => HoneScope.Current?.Bindings?.GetValueOrDefault(predictor.Value)?.Path ?? predictor.Key, predictor => predictor.Key, StringComparer.Ordinal);
        var text = new StringBuilder();
        foreach (var call in trace.Calls)
        {
            text.Append(names.GetValueOrDefault(call.Path, call.Path)).Append(": ").Append(AttemptText.OfFields(call.Inputs, call.Signature)).Append(" -> ")
                .Append(call.Outputs is { } outputs ? AttemptText.OfFields(outputs) : AttemptText.Cut($"unreadable: {call.Failure?.Reason}")).Append('\n');
        }

        return text.Length == 0 ? "No module was called." : RlmText.Ends(text.ToString().TrimEnd(), MostOfTrajectory, null);
    }

    private static string RewardText(Score? reward, double? threshold)
    {
        var text = reward is null ? "none" : string.Create(CultureInfo.InvariantCulture, $"{reward.Value}");
        if (threshold is { } least)
            text += string.Create(CultureInfo.InvariantCulture, $", below the {least} that would be enough");
        return reward?.Feedback is { } feedback ? $"{text}. {AttemptText.Cut(feedback)}" : text;
    }
}
