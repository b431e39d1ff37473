using Hone.Retrieval;

namespace EmbeddedModel;

/// <summary>How often the demonstrator does the right thing, by kind of claim and hop (0 or 1).</summary>
/// <param name="Notes">Probability of the right notes.</param>
/// <param name="Query">Probability of the right query.</param>
/// <param name="RepeatsInTen">How many of ten mistaken queries ask for the same entity again; the others ask with the claim's words.</param>
internal sealed record DemonstratorSkill(Func<string, int, double> Notes, Func<string, int, double> Query, int RepeatsInTen = 6)
{
    /// <summary>Always right.</summary>
    public static DemonstratorSkill Perfect { get; } = Uniform(1);

    /// <summary>Right as often everywhere.</summary>
    public static DemonstratorSkill Uniform(double quality) => new((_, _) => quality, (_, _) => quality);

    /// <summary>
    /// Right more often than not for some kinds of claims, seldom for the others: a policy that imitates it follows the format and gets part of
    /// the way, so that there is something left to reinforce.
    /// </summary>
    public static DemonstratorSkill Mediocre(double notes, double strong, double weak) => new((_, _) => notes, (kind, hop) => Masters(kind, hop) ? strong : weak, RepeatsInTen: 8);

    private static bool Masters(string kind, int hop) => hop == 0
        ? kind is "employer-city" or "author-employer"
        : kind is "employer-city" or "founder-school" or "school-city" or "publisher-founder";
}

/// <summary>
/// Plays the research program in a world and shows what to write at each of its four calls: the right thing, or a plausible mistake.
/// How a run goes on is drawn apart from what is shown, so that lessons also start where mistakes lead.
/// </summary>
internal sealed class Demonstrator(ProgramSignatures signatures, Encyclopedia world, LuceneRetriever search)
{
    private const int DocsPerHop = 2;
    private const int Hops = 3;

    private readonly ResearchTask[] tasks = [.. Enum.GetValues<Region>().SelectMany(region => world.Tasks[region])];

    /// <summary>The lessons of one run on a random claim.</summary>
    /// <param name="shown">How good the shown answers are.</param>
    /// <param name="followed">How good the answers are that the run goes on with.</param>
    /// <param name="random">Decides everything.</param>
    public IReadOnlyList<Lesson> Run(DemonstratorSkill shown, DemonstratorSkill followed, Random random) =>
        Run(tasks[random.Next(tasks.Length)], shown, followed, random).Lessons;

    /// <summary>The lessons of one run on a claim, and the titles that the run retrieved.</summary>
    public (IReadOnlyList<Lesson> Lessons, IReadOnlyList<string> Titles) Run(
        ResearchTask task, DemonstratorSkill shown, DemonstratorSkill followed, Random random)
    {
        var lessons = new List<Lesson>();
        var titles = new List<string>();
        var facts = new List<string>();
        var query = task.Claim.Text;
        for (var hop = 0; ; hop++)
        {
            var found = search.Search(query, DocsPerHop);
            titles.AddRange(found.Select(passage => passage.Title).Except(titles));
            if (hop == Hops - 1)
                return (lessons, titles);

            var results = found.Select(passage => $"{passage.Title} | {passage.Text}").ToArray();
            var known = Lesson.ListOf(facts);
            lessons.Add(new(
                signatures.AppendNotes,
                FieldMap.Of(("claim", task.Claim.Text), ("key_facts", known), ("new_search_results", Lesson.ListOf(results))),
                FieldMap.Of(("new_key_facts", Lesson.ListOf(Notes(task, facts, found, shown, random))))));
            facts.AddRange(Notes(task, facts, found, followed, random));

            var (reasoning, shownQuery) = Query(task, facts, shown, random);
            lessons.Add(new(
                signatures.GenerateQuery,
                FieldMap.Of(("claim", task.Claim.Text), ("key_facts", Lesson.ListOf(facts))),
                FieldMap.Of(("reasoning", reasoning), ("query", shownQuery))));
            query = Query(task, facts, followed, random).Query;
        }
    }

    // Right: the sentence that leads on. Mistakes: the other sentence of that article, a sentence of another article, nothing.
    private string[] Notes(ResearchTask task, List<string> facts, IReadOnlyList<Passage> found, DemonstratorSkill skill, Random random)
    {
        var (entity, fact, hop) = facts.Contains(task.FirstFact) ? (task.Second, task.SecondFact, 1) : (task.First, task.FirstFact, 0);
        var isThere = found.Any(passage => passage.Title == entity);
        if (random.NextDouble() < skill.Notes(task.Kind, hop))
            return isThere && !facts.Contains(fact) ? [fact] : [];
        var others = found.Where(passage => passage.Title != entity).ToArray();
        return random.Next(10) switch
        {
            < 4 when isThere => [.. world.Find(entity).Sentences.Where(sentence => sentence != fact).Take(1)],
            < 7 when others.Length > 0 => [Pick(world.Find(others[random.Next(others.Length)].Title).Sentences, random)],
            _ => [],
        };
    }

    // Right: the entity that the newest useful fact leads to. Mistakes: the same entity again, the claim, the claim's last words.
    private static (string Reasoning, string Query) Query(ResearchTask task, List<string> facts, DemonstratorSkill skill, Random random)
    {
        var hop = facts.Contains(task.FirstFact) && facts.Contains(task.SecondFact) ? 1 : 0;
        var next = hop == 1 ? task.Third : facts.Contains(task.FirstFact) ? task.Second : task.First;
        if (random.NextDouble() < skill.Query(task.Kind, hop))
            return LookUp(next);
        var mistake = random.Next(10);
        return mistake < skill.RepeatsInTen ? LookUp(hop == 1 ? task.Second : task.First)
            : mistake < (skill.RepeatsInTen + 10) / 2 ? LookUp(task.Tail)
            : ("Look up the claim.", task.Claim.Text);
    }

    private static (string Reasoning, string Query) LookUp(string what) => ($"Look up {what}.", what);

    private static string Pick(IReadOnlyList<string> items, Random random) => items[random.Next(items.Count)];
}
