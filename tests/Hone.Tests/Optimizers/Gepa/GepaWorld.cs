using System.Text.RegularExpressions;
using Hone.Optimizers;

namespace Hone.Tests.Optimizers.Gepa;

/// <summary>Programs that solve an example while their instructions have certain words, and a reflecting model that learns the words named in feedback.</summary>
internal static partial class GepaWorld
{
    public static string[] EightWords { get; } = ["ALPHA", "BETA", "GAMMA", "DELTA", "EPSILON", "ZETA", "ETAX", "THETA"];

    public static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Examples whose question is a word, solved while the instructions have it.</summary>
    public static Example<FieldMap, FieldMap>[] Words(params string[] words) =>
        [.. words.Select(word => new Example<FieldMap, FieldMap>(FieldMap.Of(("question", word)), Lab.Answer("ok")) { Id = word })];

    /// <summary>One for a solved example; names the missing word.</summary>
    public static Metric<FieldMap, FieldMap> Named { get; } = Metric.From<FieldMap, FieldMap>((example, output) => Equals(output["answer"], "ok")
        ? new Score(1) { Feedback = "Solved." }
        : new Score(0) { Feedback = $"NEED:{example.Input["question"]}" });

    /// <summary>Solves by words; the reflecting model is the given one, or one that adds every word that it is told.</summary>
    public static Lab Keywords(Func<LabCall, string>? reflect = null) => new(call => call.Role == "reflection"
        ? Reply((reflect ?? Learn)(call))
        : Lab.Answer(call.Has(call.Question) ? "ok" : "no"));

    public static FieldMap Reply(string text) => FieldMap.Of(("new_instruction", $"Here it is:\n```text\n{text}\n```"));

    /// <summary>The current text with the words that the feedback names, in order of the alphabet.</summary>
    public static string Learn(LabCall call) => string.Join(' ', [call.Text("current_instruction"), .. Missing(call)]);

    public static IEnumerable<string> Missing(LabCall call) => Needed().Matches(call.Text("examples")).Select(match => match.Groups[1].Value)
        .Distinct().Where(word => !call.Text("current_instruction").Contains(word, StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    /// <summary>Two predictors that say whether their instructions have a word: <c>p1</c> ALPHA, <c>p2</c> BETA.</summary>
    public static Lab Pair(Func<LabCall, string>? reflect = null) => new(call => call.Role == "reflection"
        ? Reply((reflect ?? Learn)(call))
        : FieldMap.Of(("said", call.Path == "p1" ? $"{call.Has("ALPHA")}" : $"{call.Has("BETA")}")));

    public static Program<FieldMap, FieldMap> PairOn(Lab lab) => new TwoWords().WithModel(lab.Model);

    /// <summary>Everything that must not depend on the degree of parallelism.</summary>
    public static string Evidence(GepaResult<FieldMap, FieldMap> result) =>
        $"{Lab.Evidence(result)}\n{result.MetricCalls} {result.Iterations} {result.Proposals} {string.Join(',', result.DiscoveredAt)}";

    public static double[] Means(OptimizationResult<FieldMap, FieldMap> result) => [.. result.Candidates.Select(candidate => candidate.Score!.Value)];

    public static string Parents(OptimizationResult<FieldMap, FieldMap> result) =>
        string.Join(' ', result.Candidates.Select(candidate => $"[{string.Join(',', candidate.Parents)}]"));

    public static int Reflections(Lab lab) => lab.Calls.Count(call => call.Role == "reflection");

    [GeneratedRegex(@"NEED:(\w+)")]
    private static partial Regex Needed();

    private sealed class TwoWords : Module<FieldMap, FieldMap>
    {
        private readonly Predict p1 = Predict.Parse("question -> said", "one");
        private readonly Predict p2 = Predict.Parse("question -> said", "two");

        protected override async Task<FieldMap> ForwardAsync(FieldMap input, CancellationToken cancellationToken)
        {
            var first = await p1.CallAsync(input, cancellationToken);
            var second = await p2.CallAsync(input, cancellationToken);
            return FieldMap.Of(("p1", Equals(first["said"], "True")), ("p2", Equals(second["said"], "True")));
        }
    }
}

/// <summary>Keeps what it is told.</summary>
internal sealed class EventLog : IProgress<OptimizerEvent>
{
    private readonly Lock gate = new();
    private readonly List<OptimizerEvent> events = [];

    public void Report(OptimizerEvent value)
    {
        lock (gate)
            events.Add(value);
    }

    public T[] Of<T>()
        where T : OptimizerEvent
    {
        lock (gate)
            return [.. events.OfType<T>()];
    }
}
