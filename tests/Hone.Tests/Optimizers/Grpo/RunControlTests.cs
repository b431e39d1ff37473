using Hone.Optimizers;
using Hone.Testing;

namespace Hone.Tests.Optimizers;

public sealed class RunControlTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("hone-control").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public async Task Pause_WaitsAfterTheStep_AndChangesNothing()
    {
        using var control = new RunControl();
        var steps = 0;
        var saved = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var paused = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var progress = new GrpoTests.Recorder(happened =>
        {
            if (happened is GrpoStepCompleted { Report.Step: var step })
            {
                steps++;
                if (step == 2)
                {
                    control.Pause();
                    paused.SetResult();
                }
            }

            if (happened is GrpoStateSaved { NextStep: var next })
                saved.TrySetResult(next);
        });
        var options = ToyTask.Options with { Steps = 8, SaveStateEvery = 100, RunDirectory = directory, Control = control, Progress = progress };
        var running = Grpo.Create(ToyTask.Metric, options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        await paused.Task.WaitAsync(Token);
        control.RequestCheckpoint();

        // The state of the paused run: three steps are done, and no more until it goes on.
        Assert.Equal(3, await saved.Task.WaitAsync(Token));
        Assert.True(control.IsPaused);
        Assert.Equal(3, steps);
        control.Continue();
        var result = await running;
        Assert.Equal(8, result.Steps.Count);
        GrpoTests.AssertSameSeries(
            await Grpo.Create(ToyTask.Metric, options with { RunDirectory = null, Control = null, Progress = null })
                .CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token),
            result);
    }

    [Fact]
    public async Task Stop_WhilePaused_ReturnsTheBestSoFar()
    {
        using var control = new RunControl();
        control.Pause();
        var options = ToyTask.Options with { Control = control, Progress = new GrpoTests.Recorder(happened => StopAfterBaseline(happened)) };
        var result = await Grpo.Create(ToyTask.Metric, options).CompileAsync(ToyTask.Program(ToyTask.Policy()), ToyTask.Train, ToyTask.Validation, Token);
        Assert.Equal(StopReason.Requested, result.StopReason);
        Assert.Empty(result.Steps);

        void StopAfterBaseline(GrpoEvent happened)
        {
            if (happened is GrpoValidated)
                control.Stop();
        }
    }
}
