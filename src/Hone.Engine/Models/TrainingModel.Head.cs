namespace Hone.Engine;

internal sealed unsafe partial class TrainingModel
{
    private void ScoreTargets(TrainingWorkspace space, PackedBatch batch, Span<float> logProbs, Span<float> entropies)
    {
        int count = batch.TargetRows.Length, hidden = Config.HiddenSize, vocabulary = Config.VocabularySize;
        float* norms = space.RowStatistics.Pointer, logSums = norms + count;
        for (var slot = 0; slot < count; slot++)
        {
            float* input = space.Output.Pointer + (nint)batch.TargetRows[slot] * hidden, output = space.HeadInput.Pointer + (nint)slot * hidden;
            norms[slot] = _kernels.RmsNorm(input, _packed.FinalNorm.Pointer, output, hidden, Config.NormEpsilon);
        }

        var entropiesOfRows = norms + 2 * count;
        var target = new TargetCursor(batch);
        for (var first = 0; first < count; first += space.ChunkRows)
        {
            var rows = Math.Min(space.ChunkRows, count - first);
            ComputeLogits(space, first, rows);
            for (var i = 0; i < rows; i++)
            {
                var row = space.Logits.Pointer + (nint)i * vocabulary;
                var statistics = _kernels.Statistics(row, vocabulary, space.InverseTemperature);
                (logSums[first + i], entropiesOfRows[first + i]) = (statistics.LogSumExp, statistics.Entropy);
            }

            foreach (var index in target.OfSlots(first, first + rows))
            {
                var slot = batch.TargetSlots[index];
                var token = CheckedToken(batch.Targets[index].Token);
                logProbs[index] = space.Logits.Pointer[(nint)(slot - first) * vocabulary + token] * space.InverseTemperature - logSums[slot];
                entropies[index] = entropiesOfRows[slot];
            }
        }
    }

    // logits [rows, V] = head input [rows, d] · Eᵀ
    private void ComputeLogits(TrainingWorkspace space, int first, int rows) => _kernels.Project(
        rows, space.HeadInput.Pointer + (nint)first * Config.HiddenSize, Config.HiddenSize, _packed.Head, space.Logits.Pointer,
        Config.VocabularySize);

    // d loss / d residual stream at the target rows, and the gradients of the output projection and the final norm.
    private void BackwardHead(TrainingLane lane, PackedBatch batch, ReadOnlySpan<float> gradientOfLogProb)
    {
        var space = lane.Workspace;
        int count = batch.TargetRows.Length, hidden = Config.HiddenSize, vocabulary = Config.VocabularySize;
        float* norms = space.RowStatistics.Pointer, logSums = norms + count;
        var sums = new Span<float>(norms + 2 * count, count);
        sums.Clear();
        for (var i = 0; i < batch.Targets.Count; i++) sums[batch.TargetSlots[i]] += gradientOfLogProb[i];

        var head = _effective.Tensor(Config.TiedEmbeddings ? ParameterNames.Embedding : ParameterNames.Head);
        var target = new TargetCursor(batch);
        for (var first = 0; first < count; first += space.ChunkRows)
        {
            var rows = Math.Min(space.ChunkRows, count - first);
            if (rows < count) ComputeLogits(space, first, rows);
            var logits = space.Logits.Pointer;

            // d log p / d logits = (1[token] − softmax) / temperature
            for (var i = 0; i < rows; i++)
            {
                var row = logits + (nint)i * vocabulary;
                _kernels.ExpShifted(row, vocabulary, space.InverseTemperature, logSums[first + i]);
                _kernels.Scale(row, -sums[first + i] * space.InverseTemperature, vocabulary);
            }

            foreach (var index in target.OfSlots(first, first + rows))
            {
                var row = logits + (nint)(batch.TargetSlots[index] - first) * vocabulary;
                row[batch.Targets[index].Token] += gradientOfLogProb[index] * space.InverseTemperature;
            }

            _kernels.Multiply(
                rows, hidden, vocabulary, new MatrixView(logits, vocabulary), _kernels.RowMajor(_effective.Buffer.Pointer + head.Offset, hidden),
                space.HeadGradient.Pointer + (nint)first * hidden, hidden);
            if (Adapter is null)
                AddWeightGradient(lane, head, logits, vocabulary, space.HeadInput.Pointer + (nint)first * hidden, hidden, rows);
        }

        var normGradient = Adapter is null ? lane.GradientPointer + Weights.Tensor(ParameterNames.FinalNorm).Offset : null;
        for (var slot = 0; slot < count; slot++)
        {
            nint row = (nint)batch.TargetRows[slot] * hidden;
            _kernels.RmsNormBackward(
                space.HeadGradient.Pointer + (nint)slot * hidden, space.Output.Pointer + row, _packed.FinalNorm.Pointer, norms[slot],
                space.Gradient.Pointer + row, normGradient, hidden, accumulate: true);
        }
    }

    private int CheckedToken(int token) => (uint)token < (uint)Config.VocabularySize ? token
        : throw new ArgumentOutOfRangeException(nameof(token), token, $"Token id {token} is outside the vocabulary of {Config.VocabularySize}.");

    /// <summary>Targets ordered by the row that predicts them.</summary>
    private struct TargetCursor
    {
        private readonly PackedBatch _batch;
        private readonly int[] _order;
        private int _next;

        public TargetCursor(PackedBatch batch)
        {
            _batch = batch;
            _order = [.. Enumerable.Range(0, batch.Targets.Count)];
            Array.Sort(_order, (left, right) => (batch.TargetSlots[left], left).CompareTo((batch.TargetSlots[right], right)));
        }

        /// <summary>Indices of the targets of rows [from, to); call with ascending ranges.</summary>
        public ReadOnlySpan<int> OfSlots(int from, int to)
        {
            while (_next < _order.Length && _batch.TargetSlots[_order[_next]] < from) _next++;
            var start = _next;
            while (_next < _order.Length && _batch.TargetSlots[_order[_next]] < to) _next++;
            return _order.AsSpan(start, _next - start);
        }
    }
}
