using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Hone.Optimizers;

namespace Hone.Tests.Optimizers;

/// <summary>Listeners of the meter see the curves of a run.</summary>
public sealed class TrainingMetersTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("hone-meters").FullName;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task CompileAsync_Listened_TellsEveryStepAndValidation()
    {
        var seen = new ConcurrentQueue<(string Name, double Value)>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == "Hone" && instrument.Name.StartsWith("hone.training.", StringComparison.Ordinal))
                    self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Keep(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Keep(instrument, value, tags));
        listener.Start();
        var result = await Grpo.Create(ToyTask.Metric, ToyTask.Options with { Steps = 4, ValidateEvery = 2, RunDirectory = directory })
            .CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, TestContext.Current.CancellationToken);

        Assert.Equal([1, 2, 3, 4], Of("hone.training.step"));
        Assert.Equal(result.Steps.Select(step => step.RewardMean), Of("hone.training.reward"));
        Assert.Equal(result.Steps.Select(step => step.UnreadableRollouts / 16.0), Of("hone.training.unreadable"));
        Assert.Equal(result.Steps.Select(step => step.GradientNorm), Of("hone.training.gradient_norm"));
        Assert.Equal(result.Validations.Select(validation => validation.Score), Of("hone.training.validation.score"));

        double[] Of(string name) => [.. seen.Where(item => item.Name == name).Select(item => item.Value)];

        // Other tests train at the same time: the run's name tells them apart.
        void Keep(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            foreach (var tag in tags)
            {
                if (tag is { Key: "hone.run", Value: string run } && run == Path.GetFileName(directory))
                    seen.Enqueue((instrument.Name, value));
            }
        }
    }
}
