namespace Hone.Engine;

/// <summary>A model ready to generate. Safe to share by any number of workers, each with its own <see cref="InferenceScratch"/>.</summary>
internal abstract class InferenceModel(ModelConfig config) : IDisposable
{
    public ModelConfig Config { get; } = config;

    /// <summary>Whether steps are long enough for other threads to help with them.</summary>
    public virtual bool IsWorthHelping => false;

    /// <summary>Where others help: sequences that are computed faster in one step with all threads than in a step a thread.</summary>
    public virtual int SequencesTogether => 1;

    /// <summary>Packs the weights for the processor, with the adapter merged into them if there is one.</summary>
    public static InferenceModel Create(ParameterSet weights, LoraAdapter? adapter = null) => Create(weights, adapter, VectorKernels.Best);

    /// <summary>A model that computes where the kernels do; the best of the processor has kernels of its own.</summary>
    public static InferenceModel Create(ParameterSet weights, IKernels kernels) =>
        kernels.IsHost ? Create(weights) : new DeviceInferenceModel(weights, kernels);

    internal static InferenceModel Create(ParameterSet weights, LoraAdapter? adapter, VectorKernels kernels)
    {
        var model = new HostInferenceModel(weights.Config, kernels);
        model.Repack(weights, adapter);
        return model;
    }

    /// <summary>
    /// Takes over changed weights in the same memory. No <see cref="Forward"/> may run meanwhile; keys and values computed before are stale.
    /// </summary>
    public abstract void Repack(ParameterSet weights, LoraAdapter? adapter = null);

    /// <summary>As above, the weights and the adapter that a model trains.</summary>
    public virtual void Repack(TrainingModel training)
    {
        training.TrainedValues.Pull();
        Repack(training.Weights, training.Adapter);
    }

    /// <param name="maxRows">Most rows of one step.</param>
    /// <param name="maxPositions">Longest sequence, in tokens.</param>
    /// <param name="crew">Who may help with the steps; null for nobody.</param>
    public abstract InferenceScratch CreateScratch(int maxRows, int maxPositions, StepCrew? crew = null);

    /// <summary>Memory for keys and values.</summary>
    public abstract KeyValuePool CreatePool();

    /// <summary>
    /// Computes one step of any mix of prefill and decode rows. Rows of one segment are adjacent, with consecutive ascending positions. Every
    /// segment's past must be written already or be part of the step. Segments grow as needed.
    /// </summary>
    public void Forward(InferenceScratch scratch, ReadOnlySpan<InferenceRow> rows)
    {
        if (rows.Length > scratch.MaxRows)
            throw new ArgumentException($"The step has {rows.Length} rows; the scratch was made for {scratch.MaxRows}.", nameof(rows));
        if (rows.IsEmpty) return;
        FindRuns(scratch, rows);
        Compute(scratch, rows);
        Array.Clear(scratch.Runs, 0, scratch.RunCount);
        scratch.Blocks.Clear();
        GC.KeepAlive(this);
    }

    public abstract void Dispose();

    /// <summary>Computes the step whose runs and blocks the scratch describes.</summary>
    private protected abstract void Compute(InferenceScratch common, ReadOnlySpan<InferenceRow> rows);

    private static void FindRuns(InferenceScratch scratch, ReadOnlySpan<InferenceRow> rows)
    {
        scratch.RunCount = 0;
        scratch.Blocks.Clear();
        for (var row = 0; row < rows.Length;)
        {
            var (first, segment, position) = (row, rows[row].Segment, rows[row].Position);
            while (++row < rows.Length && ReferenceEquals(rows[row].Segment, segment))
            {
                if (rows[row].Position == position + (row - first)) continue;
                throw new ArgumentException(
                    $"Row {row} has position {rows[row].Position}; the rows of a segment must be adjacent and ascend by one.", nameof(rows));
            }

            var end = position + (row - first);
            if (position < segment.Start || position > segment.End || end > scratch.MaxPositions)
            {
                throw new ArgumentException(
                    $"Rows {first} … {row - 1} have the positions {position} … {end - 1}; their segment goes on at {segment.End} " +
                    $"and the scratch holds {scratch.MaxPositions} positions.",
                    nameof(rows));
            }

            scratch.EnsureRotary(end);
            segment.Reserve(end - segment.Start);
            segment.Length = Math.Max(segment.Length, end - segment.Start);
            scratch.Runs[scratch.RunCount++] = new InferenceRun(first, row - first, position, segment, 0, 0);
        }

        // Only now every segment has its length: a run's past may be part of this step.
        for (var index = 0; index < scratch.RunCount; index++)
        {
            ref var run = ref scratch.Runs[index];
            var firstBlock = scratch.Blocks.Count;
            AddBlocks(scratch.Blocks, run.Segment, run.FirstPosition + run.Count);
            run = run with { FirstBlock = firstBlock, BlockCount = scratch.Blocks.Count - firstBlock };
        }
    }

    // Root first; of each segment the positions before its child's start.
    private static void AddBlocks(List<ContextBlock> blocks, KeyValueSegment segment, int end)
    {
        if (segment.End < end)
        {
            throw new ArgumentException(
                $"A segment ends at position {segment.End} where its child needs {end} positions; compute the parent first or in the same step.");
        }

        if (segment.Parent is not null) AddBlocks(blocks, segment.Parent, segment.Start);
        for (var position = segment.Start; position < end; position += KeyValuePool.BlockPositions)
        {
            var block = segment.Block((position - segment.Start) / KeyValuePool.BlockPositions);
            blocks.Add(new ContextBlock(block, position, Math.Min(KeyValuePool.BlockPositions, end - position)));
        }
    }
}
