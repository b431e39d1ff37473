using EmbeddedModel;

namespace Samples.Tests.Lessons;

public sealed class SkillLessonsTests
{
    private readonly SkillLessons skills = new(Encyclopedia.Create(seed: 50, new() { Articles = 1000, TrainClaims = 50, ValidationClaims = 50, TestClaims = 50 }));

    [Fact]
    public void Next_AnySeed_AnswerIsReadBackUnchanged()
    {
        var random = new Random(5);
        for (var form = 0; form < 400; form++)
        {
            var lesson = skills.Next(form, random);
            var text = ChatAdapter.Default.RenderOutputs(lesson.Signature, lesson.Outputs);
            Assert.Equal(lesson.Outputs, ChatAdapter.Default.Parse(lesson.Signature, text));
        }
    }

    [Fact]
    public void Next_SameForm_SameSignature()
    {
        var random = new Random(5);
        for (var form = 0; form < 50; form++)
            Assert.Equal(skills.Next(form, random).Signature, skills.Next(form, random).Signature);
    }

    [Fact]
    public void Next_ManyForms_ManySignatures()
    {
        var random = new Random(5);
        Assert.True(Enumerable.Range(0, 300).Select(form => skills.Next(form, random).Signature.Shape).Distinct().Count() > 100);
    }
}
