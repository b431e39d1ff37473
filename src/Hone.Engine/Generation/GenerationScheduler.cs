using System.Diagnostics;

namespace Hone.Engine;

/// <summary>
/// Spreads requests over worker threads, each with its own rows and caches. Threads sleep while there is nothing to do. What a request samples
/// depends on weights, prompt, options and seed alone, not on what runs beside it.
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
    private bool _isGathering, _isDisposed;

    public GenerationScheduler(InferenceModel model, int modelVersion, int workers, GenerationLimits limits)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(workers, 1);
        _model = model;
        ModelVersion = modelVersion;
        Limits = limits;
        _lanes = [.. Enumerable.Range(0, workers).Select(_ => new Lane(new GenerationWorker(model, modelVersion, limits)))];
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
                if (!_isGathering) Monitor.Pulse(_gate);
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
            while (!_isDisposed && lane.Load == 0 && (_drained is not null || _queue.Count == 0 || _isGathering)) Monitor.Wait(_gate);
            if (!_isDisposed && _queue.Count > 0 && _drained is null && !_isGathering && _lanes.All(other => other.Load == 0)) Gather();
            if (_isDisposed) return false;
            if (_drained is not null || _isGathering) return true;
            // An equal share of all requests, so that the workers' steps stay equally long.
            var total = _queue.Count + _lanes.Sum(other => other.Load);
            var share = Math.Min((total + _lanes.Length - 1) / _lanes.Length, Limits.Sequences);
            while (lane.Load < share && _queue.TryDequeue(out var request))
            {
                if (request.IsCancelled) continue;
                lane.Incoming.Add(request);
                lane.Load++;
            }
            if (_queue.Count > 0) Monitor.Pulse(_gate);
            return true;
        }
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

    private sealed class Lane(GenerationWorker worker)
    {
        public GenerationWorker Worker { get; } = worker;
        public Thread? Thread { get; set; }
        public List<GenerationRequest> Incoming { get; } = [];
        public int Load { get; set; }
    }
}
