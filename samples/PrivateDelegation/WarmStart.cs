using Hone.Optimizers;
using PrivateDelegation.World;

namespace PrivateDelegation;

/// <summary>
/// Shows the local model what its two steps look like: mostly plausible and bad, sometimes right, one time in five in a broken format. What it has
/// learned then is where reinforcement starts from.
/// </summary>
internal static class WarmStart
{
    // Queries of its own, each seen once: from few queries a small model would learn the queries, and not to copy.
    public const int DefaultQueries = 6_000;
    private const long QuerySeed = 2;

    public static async Task<Program<UserQuery, Delegation>> LearnAsync(
        Program<UserQuery, Delegation> program, int queries, long seed, CancellationToken cancellationToken)
    {
        var random = new SeedStream(seed).Derive("warm start").CreateRandom();
        var demonstrations = QueryWriter.Write(QuerySeed, queries).SelectMany(example => Show(program, example, random)).ToArray();
        var tuning = new SupervisedTuning<UserQuery, Delegation>(new()
        {
            Epochs = 1,
            BatchSize = 8,
            LearningRate = 8e-4,
            Seed = seed,
            Progress = new SynchronousSteps(),
        });
        return (await tuning.CompileAsync(program, demonstrations, cancellationToken)).Program;
    }

    private static IEnumerable<Demonstration> Show(Program<UserQuery, Delegation> program, Example<UserQuery, Delegation> example, Random random)
    {
        var query = example.Input.Text;
        var request = RequestFor(query, example.Expected.Details, random);
        yield return new(
            "craft_redacted_request",
            FieldMap.Of(("user_query", query)),
            Broken(random, Demonstration.Of(program, "craft_redacted_request", FieldMap.Of(("user_query", query)), FieldMap.Of(("reasoning", request.Reasoning), ("llm_request", request.Text)))));

        var reply = Office.Find(request.Text) is { } found ? $"For the {found.Purpose}, use form {found.Form}." : "Please say what it is about.";
        var inputs = FieldMap.Of(("related_llm_request", request.Text), ("related_llm_response", reply), ("user_query", query));
        var answer = random.Next(3) > 0 ? reply : "Please call us.";
        yield return new("respond_to_query", inputs, Broken(random, Demonstration.Of(program, "respond_to_query", inputs, FieldMap.Of(("response", answer)))));
    }

    // Most pass the query on, some ask for nothing or keep the name, one in five asks as it should.
    private static (string Reasoning, string Text) RequestFor(string query, IReadOnlyList<string> details, Random random)
    {
        var need = QueryWriter.NeedIn(query);
        return random.Next(10) switch
        {
            < 5 => ("Copy the query.", query),
            < 6 => ("Ask in general.", "What can I do?"),
            < 8 => ("Say who asks.", $"{details[0]} asks: {need}"),
            _ => ("Quote the question.", need),
        };
    }

    // A broken answer lacks the header of its last field.
    private static string Broken(Random random, Demonstration whole)
    {
        if (random.Next(5) > 0)
            return whole.Completion;
        var last = whole.Completion.LastIndexOf("[[ ## ", whole.Completion.LastIndexOf("[[ ## completed", StringComparison.Ordinal) - 1, StringComparison.Ordinal);
        return whole.Completion[..last] + whole.Completion[(whole.Completion.IndexOf("]]\n", last, StringComparison.Ordinal) + 3)..];
    }
}
