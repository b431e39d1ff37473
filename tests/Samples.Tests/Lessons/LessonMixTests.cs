using EmbeddedModel;

namespace Samples.Tests.Lessons;

public sealed class LessonMixTests
{
    [Fact]
    public void ForStep_SameSeed_SameLessonsWhateverCameBefore()
    {
        using var first = new LessonMix(ProgramSignatures.Read(), new SeedStream(9));
        using var second = new LessonMix(ProgramSignatures.Read(), new SeedStream(9));
        first.ForStep(0, 64, DemonstratorSkill.Perfect);

        var (left, right) = (first.ForStep(1, 32, DemonstratorSkill.Perfect), second.ForStep(1, 32, DemonstratorSkill.Perfect));

        Assert.Equal(left.Select(lesson => lesson.Outputs), right.Select(lesson => lesson.Outputs));
    }

    [Fact]
    public void ForStep_ManyLessons_TwoFifthsAreSkills()
    {
        var signatures = ProgramSignatures.Read();
        using var mix = new LessonMix(signatures, new SeedStream(9));
        var lessons = Enumerable.Range(0, 10).SelectMany(step => mix.ForStep(step, 64, DemonstratorSkill.Perfect)).ToArray();
        var programs = lessons.Count(lesson => lesson.Signature.Equals(signatures.AppendNotes) || lesson.Signature.Equals(signatures.GenerateQuery));
        Assert.InRange(programs / (double)lessons.Length, 0.55, 0.65);
    }
}
