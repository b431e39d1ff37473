using EmbeddedModel;
using Hone.Engine;
using Hone.Retrieval;

namespace Samples.Tests.Lessons;

/// <summary>What the shipped model must be: prompts short, format followed, recall in between. A change of the prompts calls for a new model.</summary>
public sealed class EmbeddedModelTests
{
    private static readonly LessonEncoder Encoder = new(ChatAdapter.Default, ChatTemplate.ForName(ModelFiles.ChatFormat));
    private static readonly Encyclopedia World = Encyclopedia.Create(seed: 50);

    [Fact]
    public void Tokenizer_WorldWords_AreSingleTokens()
    {
        using var model = EngineModel.LoadEmbedded();
        Assert.All(Vocabulary.FirstWords, word => Assert.Single(model.Tokenizer.Encode(word)));
        Assert.All(Vocabulary.FirstWords.Concat(Vocabulary.SecondWords).Concat(Vocabulary.Jobs), word => Assert.Single(model.Tokenizer.Encode($" {word}")));
    }

    [Fact]
    public void Tokenizer_ProgramPrompts_StayShort()
    {
        using var model = EngineModel.LoadEmbedded();
        using var search = World.CreateRetriever();
        var signatures = ProgramSignatures.Read();
        var demonstrator = new Demonstrator(signatures, World, search);
        var random = new Random(1);
        var lessons = Enumerable.Range(0, 200).SelectMany(_ => demonstrator.Run(DemonstratorSkill.Perfect, DemonstratorSkill.Perfect, random));
        foreach (var lesson in lessons)
        {
            var encoded = Encoder.Encode(lesson, model.Tokenizer);
            var isNotes = lesson.Signature.Equals(signatures.AppendNotes);
            Assert.InRange(encoded.CompletionStart, 1, isNotes ? 300 : 210);
            Assert.InRange(encoded.CompletionStart - encoded.UserStart, 1, isNotes ? 145 : 100); // the part that no cache shares
            Assert.InRange(encoded.Tokens.Length - encoded.CompletionStart, 1, 44);
        }
    }

    [Fact]
    public void Prompts_OfTheProgram_AreThoseThatTheModelWasTrainedWith()
    {
        var signatures = ProgramSignatures.Read();
        var claim = "The composer Kamo Terden works for a company based in a city on the river Velmont.";
        var notes = new Lesson(
            signatures.AppendNotes,
            FieldMap.Of(("claim", claim), ("key_facts", Lesson.ListOf([])), ("new_search_results", Lesson.ListOf(["Kamo Terden | Kamo Terden was born in Halden Bay."]))),
            FieldMap.Of(("new_key_facts", Lesson.ListOf(["Kamo Terden was born in Halden Bay."]))));
        var query = new Lesson(
            signatures.GenerateQuery,
            FieldMap.Of(("claim", claim), ("key_facts", Lesson.ListOf(["Kamo Terden was born in Halden Bay."]))),
            FieldMap.Of(("reasoning", "Look up Halden Bay."), ("query", "Halden Bay")));
        var text = string.Join("\n=====\n", new[] { notes, query }.Select(Encoder.Render).Select(rendered => rendered.Prompt + rendered.Completion));
        Assert.Equal(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Lessons", "prompts.txt")).TrimEnd(), text.TrimEnd());
    }

    [Fact]
    public async Task ResearchHop_Greedy_FollowsTheFormatAndLeavesRoomToLearn()
    {
        using var search = World.CreateRetriever();
        using var model = EngineModel.LoadEmbedded();
        using var client = new EngineChatClient(model);
        var tasks = World.Tasks[Region.Test].Take(60).ToArray();

        var greedy = await ProgramEvaluation.RunAsync(client, search, tasks, temperature: 0, seed: 1);

        Assert.InRange(greedy.Failures, 0, 0.05);
        Assert.InRange(greedy.Recall, 0.36, 0.62);
    }
}
