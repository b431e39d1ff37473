using Hone.Optimizers;
using PrivateDelegation.World;

namespace PrivateDelegation;

/// <summary>
/// Shows the local model what its two steps look like: mostly plausible and bad, sometimes right, one time in five in a broken format. What it has
/// learned then is where reinforcement starts from.
/// </summary>
internal static class WarmStart
{
    private const int PerQuery = 5;

    private static readonly string[] Requests = ["Which form is for the {0}?", "What do I need for the {0}?", "Please explain the {0}."];

    public static async Task<Program<UserQuery, Delegation>> LearnAsync(
        Program<UserQuery, Delegation> program, IReadOnlyList<Example<UserQuery, Delegation>> train, long seed, CancellationToken cancellationToken)
    {
        var random = new SeedStream(seed).Derive("warm start").CreateRandom();
        var demonstrations = train.SelectMany(example => Enumerable.Range(0, PerQuery).SelectMany(_ => Show(program, example, random))).ToArray();
        var tuning = new SupervisedTuning<UserQuery, Delegation>(new()
        {
            Epochs = 4,
            BatchSize = 8,
            LearningRate = 1e-3,
            Seed = seed,
            Progress = new Steps(),
        });
        return (await tuning.CompileAsync(program, demonstrations, cancellationToken)).Program;
    }

    private static IEnumerable<Demonstration> Show(Program<UserQuery, Delegation> program, Example<UserQuery, Delegation> example, Random random)
    {
        var query = example.Input.Text;
        var purpose = Office.Find(query)!.Value.Purpose;
        var request = RequestFor(query, purpose, example.Expected.Details, random);
        yield return new(
            "craft_redacted_request",
            FieldMap.Of(("user_query", query)),
            Broken(random, Demonstration.Of(program, "craft_redacted_request", FieldMap.Of(("user_query", query)), FieldMap.Of(("reasoning", request.Reasoning), ("llm_request", request.Text)))));

        var reply = Office.Find(request.Text) is { } found ? $"For the {found.Purpose}, use {found.Form}." : "Please say what it is about.";
        var inputs = FieldMap.Of(("related_llm_request", request.Text), ("related_llm_response", reply), ("user_query", query));
        var answer = random.Next(3) > 0 ? reply : "Please call us.";
        yield return new("respond_to_query", inputs, Broken(random, Demonstration.Of(program, "respond_to_query", inputs, FieldMap.Of(("response", answer)))));
    }

    // Half pass the query on as it is, some ask for nothing, some keep the name, one in five asks as it should.
    private static (string Reasoning, string Text) RequestFor(string query, string purpose, IReadOnlyList<string> details, Random random) => random.Next(10) switch
    {
        < 5 => ("Pass it on.", query),
        < 7 => ("Ask in general.", "What can I do?"),
        < 8 => ($"Ask about the {purpose}.", $"{details[0]} asks about the {purpose}."),
        _ => ($"Ask about the {purpose}.", string.Format(System.Globalization.CultureInfo.InvariantCulture, Requests[random.Next(Requests.Length)], purpose)),
    };

    // A broken answer lacks the header of its last field.
    private static string Broken(Random random, Demonstration whole)
    {
        if (random.Next(5) > 0)
            return whole.Completion;
        var last = whole.Completion.LastIndexOf("[[ ## ", whole.Completion.LastIndexOf("[[ ## completed", StringComparison.Ordinal) - 1, StringComparison.Ordinal);
        return whole.Completion[..last] + whole.Completion[(whole.Completion.IndexOf("]]\n", last, StringComparison.Ordinal) + 3)..];
    }

    private sealed class Steps : IProgress<SupervisedProgress>
    {
        public void Report(SupervisedProgress value)
        {
            if (value.Step % 50 == 0 || value.Step == value.Steps)
                Console.WriteLine(FormattableString.Invariant($"warm start {value.Step,3}/{value.Steps}  loss {value.Loss:0.000}"));
        }
    }
}
