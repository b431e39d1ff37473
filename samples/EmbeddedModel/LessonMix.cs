using Hone.Retrieval;

namespace EmbeddedModel;

/// <summary>
/// Draws lessons from many worlds: 60 % calls of the research program, 40 % skills. What step n sees depends on the seed and n alone.
/// </summary>
internal sealed class LessonMix : IDisposable
{
    /// <summary>Worlds below this seed belong to the demonstration and are never trained on.</summary>
    public const long FirstTrainingWorld = 1000;

    private const double SkillShare = 0.4;
    private const int OpenWorlds = 12;
    private const int StepsPerWorld = 25;
    private const int FormsPerStep = 7;

    private readonly SeedStream stream;
    private readonly ProgramSignatures signatures;
    private readonly Place[] places = new Place[OpenWorlds];
    private long nextWorld;

    public LessonMix(ProgramSignatures signatures, SeedStream stream)
    {
        (this.signatures, this.stream) = (signatures, stream);
        for (var slot = 0; slot < OpenWorlds; slot++)
            Renew(slot);
    }

    /// <summary>The lessons of a step. Call for steps in ascending order.</summary>
    /// <param name="step">Number of the step.</param>
    /// <param name="count">How many lessons.</param>
    /// <param name="shown">How good the shown answers are.</param>
    public IReadOnlyList<Lesson> ForStep(int step, int count, DemonstratorSkill shown)
    {
        if (step > 0 && step % StepsPerWorld == 0)
            Renew(step / StepsPerWorld % OpenWorlds);
        var random = stream.Derive("lessons", step).CreateRandom();
        var lessons = new List<Lesson>(count);

        // A few forms a step: their system turns are computed once for all lessons that share them.
        int[] forms = [.. Enumerable.Range(0, FormsPerStep).Select(_ => random.Next())];
        while (lessons.Count < count)
        {
            var place = places[random.Next(OpenWorlds)];
            if (random.NextDouble() < SkillShare)
            {
                lessons.Add(place.Skills.Next(forms[random.Next(forms.Length)], random));
                continue;
            }

            // One call of a run, so that a step holds many different claims. Two runs in three stay on the right path.
            var followed = random.Next(3) > 0 ? DemonstratorSkill.Perfect : DemonstratorSkill.Uniform(random.NextDouble());
            var run = place.Demonstrator.Run(shown, followed, random);
            lessons.Add(run[random.Next(run.Count)]);
        }

        return lessons;
    }

    public void Dispose()
    {
        foreach (var place in places)
            place.Search.Dispose();
    }

    private void Renew(int slot)
    {
        places[slot]?.Search.Dispose();
        var world = Encyclopedia.Create(stream.Derive("world", nextWorld).Seed % 1_000_000_000 + FirstTrainingWorld);
        nextWorld++;
        var search = world.CreateRetriever();
        places[slot] = new(search, new(signatures, world, search), new(world));
    }

    private sealed record Place(LuceneRetriever Search, Demonstrator Demonstrator, SkillLessons Skills);
}
