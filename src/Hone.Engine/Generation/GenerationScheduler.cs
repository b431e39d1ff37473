using System.Diagnostics;

namespace Hone.Engine;

/// <summary>
/// Spreads requests over worker threads, each with its own rows and caches. Threads without a request help the others with their steps if the model is
/// large enough, and sleep while there is nothing to do. What a request samples depends on weights, prompt, options and seed alone, not on what runs
/// beside it or who helped.
/// </summary>
internal sealed class GenerationScheduler : IDisposable
{
    // A wave of calls made in one go arrives within microseconds of each other: an idle engine waits for a pause of this length, so that
    // the wave is computed together.
    private static readonly TimeSpan GatherPause = TimeSpan.FromMicroseconds(150), GatherLimit = TimeSpan.FromMilliseconds(1);

    private readonly object _gate = new();
    private readonly Queue<GenerationRequest> _queue = new();
    private readonly SemaphoreSlim _updates = new(1);
    private readonly Lane[] _lanes;
    private InferenceModel _model;
    private TaskCompletionSource? _drained;
    private int _sleeping;
    private bool _isGathering, _isDisposed;

    public GenerationScheduler(InferenceModel model, int modelVersion, int workers, GenerationLimits limits)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        _model = model;
        ModelVersion = modelVersion;
        Limits = limits;
        _lanes = [.. Enumerable.Range(0, workers).Select(_ => new Lane(model, modelVersion, limits, workers))];
        for (var i = 0; i < workers; i++)
        {
            var lane = _lanes[i];
            lane.Thread = new Thread(() => Work(lane)) { IsBackground = true, Name = $"hone-engine-{i}" };
            lane.Thread.Start();
        }
    }

    /// <summary>Sizes of each worker.</summary>
    public GenerationLimits Limits { get; }

    /// <summary>Version of the weights that new requests sample from.</summary>
    public int ModelVersion { get; private set; }

    /// <summary>Tokens computed by all workers so far.</summary>
    public long RowsComputed => _lanes.Sum(lane => lane.Worker.RowsComputed);

    /// <summary>Parts of steps that idle workers have done for others so far.</summary>
    public long PartsHelped => _lanes.Sum(lane => lane.Crew.PartsHelped);

    /// <summary>Blocks of keys and values that all workers hold.</summary>
    public int BlocksInUse => _lanes.Sum(lane => lane.Worker.BlocksInUse);

    /// <summary>Runs a request.</summary>
    /// <param name="request">The request; used once.</param>
    /// <param name="cancellationToken">Ends the wait at once and frees the request's rows at the next step.</param>
    public async Task<GenerationResult> GenerateAsync(GenerationRequest request, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (request.Prompt.Length + request.MaxNewTokens > Limits.MaxContext)
            throw new ContextLengthExceededException(request.Prompt.Length, request.MaxNewTokens, Limits.MaxContext);
        var registration = cancellationToken.UnsafeRegister(static (state, token) => ((GenerationRequest)state!).Cancel(token), request);
        await using (registration.ConfigureAwait(false))
        {
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                _queue.Enqueue(request);
                if (!_isGathering) WakeForRequests();
            }
            return await request.Completion.ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Replaces the weights: running requests finish on the old ones, queued ones wait and then start on the new ones; cached keys and values are
    /// dropped. Completes when the new weights are in use.
    /// </summary>
    public Task SwapModelAsync(InferenceModel model, int version, CancellationToken cancellationToken = default) =>
        UpdateModelAsync(_ => model, version, cancellationToken);

    /// <summary>As <see cref="SwapModelAsync"/>, with a function that may change the present model in place while nothing runs.</summary>
    public async Task UpdateModelAsync(Func<InferenceModel, InferenceModel> update, int version, CancellationToken cancellationToken = default)
    {
        await _updates.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                _drained = drained;
                CallBackHelpers();
                SignalIfDrained();
            }
            await drained.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            var model = update(_model);
            lock (_gate)
            {
                // The workers are parked: none has a request, none takes one up before the pause ends.
                foreach (var lane in _lanes) lane.Worker.Reset(model, version);
                (_model, ModelVersion) = (model, version);
            }
        }
        finally
        {
            lock (_gate)
            {
                _drained = null;
                Monitor.PulseAll(_gate);
            }
            _updates.Release();
        }
    }

    /// <summary>Ends all requests with an error and stops the threads.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_isDisposed) return;
            _isDisposed = true;
            CallBackHelpers();
            while (_queue.TryDequeue(out var request)) request.Fail(new ObjectDisposedException(nameof(GenerationScheduler)));
            _drained?.TrySetException(new ObjectDisposedException(nameof(GenerationScheduler)));
            Monitor.PulseAll(_gate);
        }
        foreach (var lane in _lanes) lane.Thread!.Join();
        foreach (var lane in _lanes) lane.Worker.Dispose();
    }

    private void Work(Lane lane)
    {
        while (TakeRequests(lane))
        {
            foreach (var request in lane.Incoming) lane.Worker.Admit(request);
            lane.Incoming.Clear();
            lane.Worker.Step();
            lock (_gate)
            {
                lane.Load = lane.Worker.RunningCount;
                if (lane.Load == 0) lane.Crew.Close();
                SignalIfDrained();
            }
        }
        lane.Worker.FailAll(new ObjectDisposedException(nameof(GenerationScheduler)));
    }

    // Sleeps until the lane has something to do; false when the scheduler is disposed.
    private bool TakeRequests(Lane lane)
    {
        lock (_gate)
        {
            var hasHelped = true;
            while (!_isDisposed && lane.Load == 0 && (_drained is not null || _isGathering || !IsForIt(lane))) hasHelped = HelpOrSleep(hasHelped);
            if (!_isDisposed && _queue.Count > 0 && _drained is null && !_isGathering && _lanes.All(other => other.Load == 0)) Gather();
            if (_isDisposed) return false;
            if (_drained is not null || _isGathering) return true;
            var share = ShareOfRequests();
            while (lane.Load < share && _queue.TryDequeue(out var request))
            {
                if (request.IsCancelled) continue;
                lane.Incoming.Add(request);
                lane.Load++;
            }
            if (_queue.Count > 0) WakeForRequests();
            else AskForHelp(lane);
            return true;
        }
    }

    // An equal share for all workers that are needed, so that their steps stay equally long.
    private int ShareOfRequests()
    {
        var total = _queue.Count + _lanes.Sum(lane => lane.Load);
        var workers = _model.IsWorthHelping ? Math.Clamp(Ceiling(total, _model.SequencesTogether), 1, _lanes.Length) : _lanes.Length;
        return Math.Min(Ceiling(total, workers), Limits.Sequences);
    }

    // Whether a queued request is for this idle worker. Where idle ones help, the first ones come first: they have what was computed for earlier requests.
    private bool IsForIt(Lane idle)
    {
        if (_queue.Count == 0 || !_model.IsWorthHelping) return _queue.Count > 0;
        var (share, room) = (ShareOfRequests(), 0);
        foreach (var lane in _lanes.TakeWhile(lane => lane != idle)) room += Math.Max(0, share - lane.Load);
        return room < _queue.Count;
    }

    private void WakeForRequests()
    {
        if (!_model.IsWorthHelping)
        {
            Monitor.Pulse(_gate);
            return;
        }

        if (_lanes.Any(lane => lane.Load == 0 && IsForIt(lane))) CallBackHelpers();
        Monitor.PulseAll(_gate);
    }

    private static int Ceiling(int count, int divisor) => (count + divisor - 1) / divisor;

    // Called with the gate held, by a worker that has a step before it.
    private void AskForHelp(Lane lane)
    {
        if (lane.Load == 0 || _lanes.Length == 1 || !_model.IsWorthHelping) return;
        lane.Crew.Open();
        if (_sleeping > 0) Monitor.PulseAll(_gate);
    }

    // Called with the gate held, by a worker without a request; lets go of it meanwhile. Who found nothing to help with sleeps until the next step, but only
    // after another look at what may have changed: false asks for it.
    private bool HelpOrSleep(bool mayHelp)
    {
        if (mayHelp && _lanes.Where(other => other.Crew.IsOpen).MinBy(other => other.Crew.HelperCount) is { } busy) return Help(busy);
        _sleeping++;
        Monitor.Wait(_gate);
        _sleeping--;
        return true;
    }

    private bool Help(Lane busy)
    {
        Monitor.Exit(_gate);
        try
        {
            return busy.Crew.Help();
        }
        finally
        {
            Monitor.Enter(_gate);
        }
    }

    // Whoever helps has something of its own to do.
    private void CallBackHelpers()
    {
        foreach (var lane in _lanes) lane.Crew.Close();
    }

    // Called with the gate held, by the one worker that woke an idle engine; lets go of it while waiting.
    private void Gather()
    {
        _isGathering = true;
        var start = Stopwatch.GetTimestamp();
        var (seen, lastArrival) = (_queue.Count, start);
        while (!_isDisposed && _drained is null && _queue.Count < Limits.Sequences * _lanes.Length
            && Stopwatch.GetElapsedTime(lastArrival) < GatherPause && Stopwatch.GetElapsedTime(start) < GatherLimit)
        {
            Monitor.Exit(_gate);
            Thread.Yield();
            Monitor.Enter(_gate);
            if (_queue.Count == seen) continue;
            (seen, lastArrival) = (_queue.Count, Stopwatch.GetTimestamp());
        }
        _isGathering = false;
    }

    private void SignalIfDrained()
    {
        if (_drained is not null && Array.TrueForAll(_lanes, lane => lane.Load == 0)) _drained.TrySetResult();
    }

    private sealed class Lane
    {
        public Lane(InferenceModel model, int modelVersion, GenerationLimits limits, int workers)
        {
            Crew = new StepCrew(workers);
            Worker = new GenerationWorker(model, modelVersion, limits, Crew);
        }

        public StepCrew Crew { get; }
        public GenerationWorker Worker { get; }
        public Thread? Thread { get; set; }
        public List<GenerationRequest> Incoming { get; } = [];
        public int Load { get; set; }
    }
}
