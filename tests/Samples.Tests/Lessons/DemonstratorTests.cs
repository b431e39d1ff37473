using EmbeddedModel;
using Hone.Retrieval;

namespace Samples.Tests.Lessons;

public sealed class DemonstratorTests : IDisposable
{
    private readonly Encyclopedia world = Encyclopedia.Create(seed: 50);
    private readonly ProgramSignatures signatures = ProgramSignatures.Read();
    private readonly LuceneRetriever search;
    private readonly Demonstrator demonstrator;

    public DemonstratorTests()
    {
        search = world.CreateRetriever();
        demonstrator = new(signatures, world, search);
    }

    public void Dispose() => search.Dispose();

    [Fact]
    public void Run_Perfect_FindsEverythingForNearlyAllClaims()
    {
        var tasks = world.Tasks.Values.SelectMany(region => region).ToArray();
        var complete = tasks.Count(task =>
        {
            var (lessons, titles) = demonstrator.Run(task, DemonstratorSkill.Perfect, DemonstratorSkill.Perfect, new Random(1));
            Assert.Equal(4, lessons.Count);
            return task.GoldTitles.All(titles.Contains);
        });
        Assert.InRange(complete / (double)tasks.Length, 0.97, 1);
    }

    [Fact]
    public void Run_AlwaysMistaken_FindsLittleMoreThanTheFirst()
    {
        var skill = DemonstratorSkill.Uniform(0);
        var found = world.Tasks[Region.Test].Average(task =>
        {
            var (_, titles) = demonstrator.Run(task, skill, skill, new Random(1));
            return task.GoldTitles.Count(titles.Contains) / 3.0;
        });
        Assert.InRange(found, 0.33, 0.45);
    }

    [Fact]
    public void Run_SameSeed_SameLessons()
    {
        var skill = DemonstratorSkill.Uniform(0.5);
        var (first, second) = (demonstrator.Run(skill, skill, new Random(7)), demonstrator.Run(skill, skill, new Random(7)));
        Assert.Equal(first.Select(lesson => lesson.Inputs), second.Select(lesson => lesson.Inputs));
        Assert.Equal(first.Select(lesson => lesson.Outputs), second.Select(lesson => lesson.Outputs));
    }

    [Fact]
    public void Run_AnySkill_AnswersAreReadBackUnchanged()
    {
        var random = new Random(3);
        for (var i = 0; i < 200; i++)
        {
            foreach (var lesson in demonstrator.Run(DemonstratorSkill.Uniform(0.5), DemonstratorSkill.Uniform(0.5), random))
            {
                var text = ChatAdapter.Default.RenderOutputs(lesson.Signature, lesson.Outputs);
                Assert.Equal(lesson.Outputs, ChatAdapter.Default.Parse(lesson.Signature, text));
            }
        }
    }
}
