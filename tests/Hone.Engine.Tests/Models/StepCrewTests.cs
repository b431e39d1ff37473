namespace Hone.Engine.Tests.Models;

public sealed class StepCrewTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void Run_AnyNumberOfHelpers_DoesEveryUnitOnce(int helpers)
    {
        var crew = new StepCrew(helpers + 1);
        using var helping = new Helpers(crew, helpers);
        for (var phase = 0; phase < 3_000; phase++)
        {
            var (units, grain) = (1 + (phase % 70), 1 + (phase % 3));
            var done = new int[units];
            var members = new int[units];
            crew.Run(
                (in StepPart part) =>
                {
                    for (var unit = part.First; unit < part.End; unit++)
                    {
                        Interlocked.Increment(ref done[unit]);
                        members[unit] = part.Member;
                    }
                },
                Whole(units),
                grain);
            Assert.All(done, count => Assert.Equal(1, count));
            Assert.All(members, member => Assert.InRange(member, 0, helpers));
        }
    }

    [Fact]
    public void Run_SlowParts_AreDividedBetweenTwo()
    {
        var crew = new StepCrew(2);
        using var helping = new Helpers(crew, 1);
        var byMember = new int[2];
        using var both = new Barrier(2);

        // Each waits for the other: one alone would never get through.
        crew.Run(
            (in StepPart part) =>
            {
                Interlocked.Increment(ref byMember[part.Member]);
                both.SignalAndWait();
            },
            Whole(10),
            grain: 1);
        Assert.Equal([5, 5], byMember);
        Assert.Equal(5, crew.PartsHelped);
    }

    [Fact]
    public void Run_PartFails_ThrowsWhenAllAreDoneAndGoesOn()
    {
        var crew = new StepCrew(2);
        using var helping = new Helpers(crew, 1);
        for (var round = 0; round < 200; round++)
        {
            var done = 0;
            var error = Assert.Throws<InvalidOperationException>(() => crew.Run(
                (in StepPart part) =>
                {
                    Interlocked.Increment(ref done);
                    if (part.First == 7) throw new InvalidOperationException("unit 7");
                },
                Whole(20),
                grain: 1));
            Assert.Equal(("unit 7", 20), (error.Message, done));
            crew.Run((in StepPart _) => Interlocked.Increment(ref done), Whole(20), grain: 1);
            Assert.Equal(40, done);
        }
    }

    [Fact]
    public void Help_ClosedFullOrNothingToDo_Returns()
    {
        var crew = new StepCrew(2);
        Assert.False(crew.Help()); // closed
        crew.Open();
        Assert.False(crew.Help()); // nothing came up
        using (new Helpers(crew, 1))
        {
            Assert.False(crew.Help()); // one place beside the worker's, and it is taken
        }

        Assert.False(crew.HasHelpers);
        Assert.False(new StepCrew(1).Help());
    }

    private static StepPart Whole(int units) => new(null!, null!, 0, 0, units, 0);

    /// <summary>Threads that do nothing but help.</summary>
    internal sealed class Helpers : IDisposable
    {
        private readonly StepCrew _crew;
        private readonly Thread[] _threads;
        private volatile bool _isDone;

        public Helpers(StepCrew crew, int count)
        {
            _crew = crew;
            crew.Open();
            _threads = [.. Enumerable.Range(0, count).Select(_ => new Thread(Help))];
            Array.ForEach(_threads, thread => thread.Start());
            SpinWait.SpinUntil(() => count == 0 || crew.HasHelpers);
        }

        public void Dispose()
        {
            _isDone = true;
            _crew.Close();
            Array.ForEach(_threads, thread => thread.Join());
        }

        private void Help()
        {
            while (!_isDone) _crew.Help();
        }
    }
}
