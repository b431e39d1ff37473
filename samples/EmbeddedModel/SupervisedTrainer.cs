using System.Diagnostics;

namespace EmbeddedModel;

/// <summary>A stretch of training: how long, how fast, and what the demonstrator shows.</summary>
/// <param name="Name">For the log.</param>
/// <param name="Tokens">How many tokens to see, prompts included; prefixes that lessons share count for each of them.</param>
/// <param name="LearningRate">The peak, after the warm-up.</param>
/// <param name="Shown">How good the shown answers are.</param>
internal sealed record TrainingPhase(string Name, long Tokens, double LearningRate, DemonstratorSkill Shown)
{
    /// <summary>Tokens that an interrupted run of this phase has already seen: the learning rate goes on from there.</summary>
    public long Seen { get; init; }
}

/// <summary>Supervised training from lessons with AdamW.</summary>
internal sealed class SupervisedTrainer(TrainingModel model, LessonMix mix, Func<Lesson, EncodedLesson> encode, TextWriter log)
{
    /// <summary>Lessons in one step.</summary>
    public const int LessonsPerStep = 64;

    private const float UserTurnWeight = 0.4f;
    private const int RowBudget = 1024;
    private const int WarmupSteps = 60;
    private const double FinalRateShare = 0.03;
    private const int StepsPerReport = 50;

    private int step;

    /// <summary>Runs a phase. <paramref name="onReport"/> is called now and then, for checkpoints.</summary>
    /// <param name="phase">What to do.</param>
    /// <param name="workers">Threads.</param>
    /// <param name="deadline">Stops before this much time has passed since the start of the phase; the learning rate then falls in time.</param>
    /// <param name="onReport">Called every few hundred steps.</param>
    public void Run(TrainingPhase phase, int workers, TimeSpan deadline, Action? onReport = null)
    {
        using var optimizer = new AdamW(model.Trained, new AdamWOptions { Beta1 = 0.9, Beta2 = 0.95, WeightDecay = 0.01, MaxGradientNorm = 1 });
        var watch = Stopwatch.StartNew();
        var seen = phase.Seen;
        var (loss, norm) = (new RunningMean(), new RunningMean());
        for (var phaseStep = 0; ; phaseStep++)
        {
            var progress = Math.Max(seen / (double)phase.Tokens, watch.Elapsed / deadline);
            if (progress >= 1)
                break;
            var lessons = mix.ForStep(step++, LessonsPerStep, phase.Shown).Select(encode).ToArray();
            loss.Add(ComputeGradient(lessons, workers));
            norm.Add(optimizer.Update(model.SumGradients(), RateAt(phase, phaseStep, progress)));
            model.Repack();
            seen += lessons.Sum(lesson => lesson.Tokens.Length);
            if (phaseStep % StepsPerReport == StepsPerReport - 1)
            {
                log.WriteLine(
                    $"{phase.Name} step {phaseStep + 1}: {seen / 1e6:f2} M tokens, completion loss {loss.Take():f4}, gradient norm {norm.Take():f2}, "
                    + $"{(seen - phase.Seen) / watch.Elapsed.TotalSeconds:f0} tokens/s, {watch.Elapsed.TotalSeconds:f0} s");
                log.Flush();
            }

            if (phaseStep % (StepsPerReport * 8) == (StepsPerReport * 8) - 1)
                onReport?.Invoke();
        }
    }

    // Warm-up, then a cosine to a small share of the peak.
    private static double RateAt(TrainingPhase phase, int phaseStep, double progress) => phase.LearningRate
        * Math.Min(1, (phaseStep + 1) / (double)WarmupSteps)
        * (FinalRateShare + ((1 - FinalRateShare) * 0.5 * (1 + Math.Cos(Math.PI * progress))));

    /// <summary>
    /// Loss = weighted mean of the negative log-probabilities of user turns (0.4) and completions (1). System turns, which most lessons share, are
    /// context only: so no shared token is counted once for each lesson that shares it. Returns the mean loss of completion tokens.
    /// </summary>
    private double ComputeGradient(EncodedLesson[] lessons, int workers)
    {
        var totalWeight = lessons.Sum(lesson => ((lesson.CompletionStart - lesson.UserStart) * UserTurnWeight) + (lesson.Tokens.Length - lesson.CompletionStart));
        var batches = PackedBatch.Plan([.. lessons.Select(lesson => new TrainingSequence(lesson.Tokens, lesson.UserStart))], RowBudget);
        var losses = new double[batches.Count];
        model.ZeroGradients();
        model.ForEachBatch(batches, workers, (lane, index) =>
        {
            var batch = batches[index];
            var logProbs = new float[batch.Targets.Count];
            var gradient = new float[batch.Targets.Count];
            model.ForwardScore(lane, batch, 1, logProbs, new float[batch.Targets.Count]);
            for (var i = 0; i < gradient.Length; i++)
            {
                var target = batch.Targets[i];
                var lesson = lessons[target.Sequence];
                var isCompletion = target.CompletionIndex >= lesson.CompletionStart - lesson.UserStart;
                gradient[i] = -(isCompletion ? 1 : UserTurnWeight) / totalWeight;
                if (isCompletion)
                    losses[index] -= logProbs[i];
            }

            model.Backward(lane, batch, gradient);
        });
        return losses.Sum() / lessons.Sum(lesson => lesson.Tokens.Length - lesson.CompletionStart);
    }

    private sealed class RunningMean
    {
        private double sum;
        private int count;

        public void Add(double value) => (sum, count) = (sum + value, count + 1);

        public double Take()
        {
            var mean = sum / count;
            (sum, count) = (0, 0);
            return mean;
        }
    }
}
