using EmbeddedModel;
var signatures = ProgramSignatures.Read();
using var mix = new LessonMix(signatures, new SeedStream(1).Derive("corpus"));
var encoder = new LessonEncoder(ChatAdapter.Default, ChatTemplate.ForName("chatml"));
var watch = System.Diagnostics.Stopwatch.StartNew();
var lessons = Enumerable.Range(0, 250).SelectMany(s => mix.ForStep(s, 64, DemonstratorSkill.Uniform(.8))).ToArray();
Console.WriteLine($"{watch.Elapsed.TotalMilliseconds / 250:f1} ms a step of lessons"); watch.Restart();
var texts = lessons.Select(l => encoder.Render(l)).ToArray();
Console.WriteLine($"{watch.Elapsed.TotalMilliseconds / 250:f1} ms render");watch.Restart();
var json = BpeTrainer.Train(texts.Select(t => t.Prompt + t.Completion), new BpeTrainerOptions { VocabularySize = 2048 });
Console.WriteLine($"{watch.Elapsed.TotalSeconds:f1} s bpe");
File.WriteAllText("/tmp/tok_world.json", json);
var tok = Tokenizer.Load(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(json)));
var enc = lessons.Select(l => encoder.Encode(l, tok)).ToArray();
foreach (var g in lessons.Zip(enc).GroupBy(p => p.First.Signature == signatures.AppendNotes ? "notes" : p.First.Signature == signatures.GenerateQuery ? "query" : "skill"))
    Console.WriteLine($"{g.Key} n {g.Count()} prompt mean {g.Average(p => p.Second.CompletionStart):f0} max {g.Max(p => p.Second.CompletionStart)} system {g.Average(p => p.Second.UserStart):f0} completion mean {g.Average(p => p.Second.Tokens.Length - p.Second.CompletionStart):f1} max {g.Max(p => p.Second.Tokens.Length - p.Second.CompletionStart)}");
Console.WriteLine($"bare {Vocabulary.FirstWords.Count(w => tok.Encode(w).Length == 1)}/{Vocabulary.FirstWords.Count} spaced {Vocabulary.FirstWords.Count(w => tok.Encode(" " + w).Length == 1)} second spaced {Vocabulary.SecondWords.Count(w => tok.Encode(" " + w).Length == 1)}/{Vocabulary.SecondWords.Count}");
foreach (var name in new[] { "notes", "query" })
{
    var i = Random.Shared.Next(1000); while ((lessons[i].Signature == signatures.AppendNotes ? "notes" : lessons[i].Signature == signatures.GenerateQuery ? "query" : "skill") != name) i++;
    Console.WriteLine(string.Join("·", enc[i].Tokens.Select(t => tok.Decode([t]))));
    Console.WriteLine("------------");
}
