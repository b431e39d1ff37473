using MultiHopResearch;

var world = Encyclopedia.Create(seed: 1);
using var search = world.CreateRetriever();
var tasks = world.Tasks.Values.SelectMany(t => t).ToList();
Console.WriteLine($"{world.Articles.Count} articles; claims {string.Join(", ", world.Tasks.Select(t => $"{t.Key} {t.Value.Count}"))}");
foreach (var kind in tasks.CountBy(t => t.Kind))
    Console.WriteLine(kind);
foreach (var task in world.Tasks[Region.Test].Take(6))
    Console.WriteLine($"{task.Claim.Text}\n    {task.FirstFact} {task.SecondFact} -> {task.Third}\n    {string.Join("; ", search.Search(task.Claim.Text, 3).Select(p => p.Title + " | " + p.Text))}");
foreach (var k in tasks.GroupBy(t => t.Kind).Append(tasks.GroupBy(_ => "all").First()))
{
    double Hit(Func<ResearchTask, string> query, Func<ResearchTask, string> title) => k.Average(t => search.Search(query(t), 2).Any(p => p.Title == title(t)) ? 1.0 : 0);
    Console.WriteLine($"{k.Key,-20} claim: A {Hit(t => t.Claim.Text, t => t.First):f3} B {Hit(t => t.Claim.Text, t => t.Second):f3} C {Hit(t => t.Claim.Text, t => t.Third):f3}"
        + $"  tail: C {Hit(t => t.Tail, t => t.Third):f3} A: B {Hit(t => t.First, t => t.Second):f3} C {Hit(t => t.First, t => t.Third):f3}  B: B {Hit(t => t.Second, t => t.Second):f3} C {Hit(t => t.Second, t => t.Third):f3} C: {Hit(t => t.Third, t => t.Third):f3}");
}
var watch = System.Diagnostics.Stopwatch.StartNew();
for (var i = 0; i < 20; i++) foreach (var t in tasks) search.Search(t.Claim.Text, 2);
Console.WriteLine($"{watch.Elapsed.TotalMicroseconds / (20 * tasks.Count):f1} us a search");
watch.Restart(); for (var i = 0; i < 5; i++) { using var r = Encyclopedia.Create(1000 + i).CreateRetriever(); }
Console.WriteLine($"{watch.Elapsed.TotalMilliseconds / 5:f1} ms a world");
foreach (var (stop, stem) in new[] { (false, false), (true, true) })
{
    var a = (dynamic)Activator.CreateInstance(typeof(Hone.Retrieval.LuceneRetriever).Assembly.GetType("Hone.Retrieval.EnglishTextAnalyzer")!, stop, stem)!;
    var f = (Func<string, List<string>>)Delegate.CreateDelegate(typeof(Func<string, List<string>>), a, "Terms");
    for (var rep = 0; rep < 3; rep++) { watch.Restart(); for (var i = 0; i < 20; i++) foreach (var t in tasks) f(t.Claim.Text);
    Console.WriteLine($"terms {stem} {watch.Elapsed.TotalMicroseconds / (20 * tasks.Count):f1} us"); }
}
    for (var rep = 0; rep < 3; rep++) { watch.Restart(); for (var i = 0; i < 20; i++) foreach (var t in tasks) search.Search(t.First, 2);
    Console.WriteLine($"search name {watch.Elapsed.TotalMicroseconds / (20 * tasks.Count):f1} us"); }
