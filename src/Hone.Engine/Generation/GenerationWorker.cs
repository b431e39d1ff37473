namespace Hone.Engine;

/// <summary>
/// Runs requests by continuous batching: every step computes one token of each running request and a share of the prompts that are not through
/// yet. Owns its working memory and its prefix tree; used by one thread at a time. Allocates nothing per token once requests are admitted.
/// </summary>
internal sealed class GenerationWorker : IDisposable
{
    private readonly GenerationLimits _limits;
    private readonly KeyValuePool _pool;
    private readonly PrefixCache _prefixes;
    private readonly Sampler _sampler;
    private readonly InferenceScratch _scratch;
    private readonly InferenceRow[] _rows;
    private readonly List<Run> _running = [];
    private InferenceModel _model;
    private int _modelVersion;

    /// <param name="model">The model.</param>
    /// <param name="modelVersion">Version of its weights.</param>
    /// <param name="limits">Sizes.</param>
    /// <param name="crew">Who may help with the steps.</param>
    public GenerationWorker(InferenceModel model, int modelVersion, GenerationLimits limits, StepCrew? crew = null)
    {
        (_model, _modelVersion, _limits) = (model, modelVersion, limits);
        _pool = model.CreatePool();
        _prefixes = new PrefixCache(_pool, limits.CacheBytes / _pool.BytesPerBlock);
        _sampler = new Sampler(model.Config.VocabularySize);
        _rows = new InferenceRow[limits.Sequences + limits.PrefillRows];
        _scratch = model.CreateScratch(_rows.Length, limits.MaxContext, crew);
    }

    /// <summary>Requests that run now.</summary>
    public int RunningCount => _running.Count;

    /// <summary>Requests that can be admitted.</summary>
    public int FreeCount => _limits.Sequences - _running.Count;

    /// <summary>Blocks of keys and values in use, cached ones included.</summary>
    public int BlocksInUse => _pool.BlocksInUse;

    /// <summary>Prompt and completion tokens computed so far.</summary>
    public long RowsComputed { get; private set; }

    /// <summary>Takes up a request; its prompt is computed from the next step on.</summary>
    public void Admit(GenerationRequest request)
    {
        if (request.IsCancelled) return;
        try
        {
            _running.Add(new Run(request, _prefixes.Acquire(request.Prompt, Math.Min(request.MaxNewTokens, 256))));
        }
        catch (Exception error)
        {
            request.Fail(error);
        }
    }

    /// <summary>Computes one step. A fault ends all running requests with it.</summary>
    public void Step()
    {
        DropCancelled();
        if (_running.Count == 0) return;
        try
        {
            var count = PlanRows();
            _model.Forward(_scratch, _rows.AsSpan(0, count));
            RowsComputed += count;
            TakeTokens();
        }
        catch (Exception error)
        {
            FailAll(error);
        }
    }

    /// <summary>Takes over other weights of the same shape. Nothing may be running; what was cached is forgotten.</summary>
    public void Reset(InferenceModel model, int modelVersion)
    {
        _prefixes.Clear();
        _pool.TrimToPeak();
        (_model, _modelVersion) = (model, modelVersion);
    }

    /// <summary>Ends all running requests with an error.</summary>
    public void FailAll(Exception error)
    {
        foreach (var run in _running)
        {
            run.Request.Fail(error);
            _prefixes.Release(run.Node, keep: false);
        }
        _running.Clear();
    }

    public void Dispose()
    {
        _prefixes.Dispose();
        _scratch.Dispose();
        _pool.Dispose();
    }

    // Rows in order of admission: a request that continues the prompt of an earlier one comes after it, in the same step or a later one.
    private int PlanRows()
    {
        var count = 0;
        var budget = _rows.Length - _running.Count;
        foreach (var run in _running)
        {
            run.LogitsRow = -1;
            var node = run.Node;
            if (node.Parent!.Segment is not null && node.Parent.PlannedEnd < node.Start) continue; // its prefix comes first
            var first = node.Segment!.End;
            var length = Math.Min(node.End - first, budget + 1);
            budget -= length - 1;
            node.Segment.Reserve(first + length - node.Start);
            for (var position = first; position < first + length; position++)
            {
                var wantsLogits = position == node.End - 1 && !run.IsOrphan;
                if (wantsLogits) run.LogitsRow = count;
                _rows[count++] = new InferenceRow(node.Segment, position, node.TokenAt(position), wantsLogits);
            }
            node.PlannedEnd = first + length;
        }
        return count;
    }

    private void TakeTokens()
    {
        var kept = 0;
        for (var i = 0; i < _running.Count; i++)
        {
            var run = _running[i];
            var end = run.LogitsRow < 0 ? null : run.Request.SampleNext(_sampler, _scratch.Logits(run.LogitsRow));
            if (end is null)
            {
                if (run.LogitsRow >= 0) run.Node.Append(run.Request.LastToken);
                _running[kept++] = run;
                continue;
            }
            run.Request.Finish(end.Value, _modelVersion, run.Node.Start);
            _prefixes.Release(run.Node, keep: true);
        }
        _running.RemoveRange(kept, _running.Count - kept);
    }

    private void DropCancelled()
    {
        for (var i = _running.Count - 1; i >= 0; i--)
        {
            var run = _running[i];
            if (!run.Request.IsCancelled) continue;
            // Others may continue from tokens of it that are still to be computed: those are done first.
            run.IsOrphan = run.Node.Users > 1 && run.Node.Segment!.End < run.Node.End;
            if (run.IsOrphan) continue;
            _prefixes.Release(run.Node, keep: true);
            _running.RemoveAt(i);
        }
    }

    private sealed class Run(GenerationRequest request, PrefixNode node)
    {
        public GenerationRequest Request { get; } = request;
        public PrefixNode Node { get; } = node;
        public int LogitsRow { get; set; } = -1;
        public bool IsOrphan { get; set; }
    }
}
