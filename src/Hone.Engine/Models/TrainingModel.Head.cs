namespace Hone.Engine;

internal sealed unsafe partial class TrainingModel
{
    private void ScoreTargets(TrainingWorkspace space, PackedBatch batch, Span<float> logProbs, Span<float> entropies)
    {
        int count = batch.TargetRows.Length, vocabulary = Config.VocabularySize;
        if (count == 0) return;
        float* norms = space.RowStatistics.Pointer, logSums = norms + count, entropiesOfRows = norms + 2 * count;
        _kernels.RmsNorm(
            HeadRows(space, count), space.Output.Pointer, _values.FinalNorm, space.HeadInput.Pointer, norms, Config.NormEpsilon);

        // The short chunk comes first: the last one, whose logits are still there when the backward pass begins, is as large as can be.
        for (int first = 0, rows = count - (count - 1) / space.ChunkRows * space.ChunkRows; first < count; first += rows, rows = space.ChunkRows)
        {
            ComputeLogits(space, first, rows);
            _kernels.SoftmaxStatistics(
                rows, vocabulary, space.Logits.Pointer, space.InverseTemperature, logSums + first, entropiesOfRows + first);
            var (start, targets) = space.Plan.TargetsOf(first, first + rows);
            _kernels.PickLogProbs(
                targets, vocabulary, space.Logits.Pointer, space.InverseTemperature, logSums + first, space.TargetValues.Pointer + start);
        }

        float[] ofTargets = new float[batch.Targets.Count], ofRows = new float[count];
        _kernels.CopyOut(space.TargetValues.Pointer, ofTargets);
        _kernels.CopyOut(entropiesOfRows, ofRows);
        for (var i = 0; i < ofTargets.Length; i++)
        {
            var index = batch.TargetOrder[i];
            logProbs[index] = ofTargets[i];
            entropies[index] = ofRows[batch.TargetSlots[index]];
        }
    }

    private NormRows HeadRows(TrainingWorkspace space, int count) =>
        new(count, 1, Config.HiddenSize, Config.HiddenSize, Config.HiddenSize, 1, space.Plan.TargetRows);

    // logits [rows, V] = head input [rows, d] · Eᵀ
    private void ComputeLogits(TrainingWorkspace space, int first, int rows) =>
        _kernels.Project(rows, space.HeadInput.Pointer + (nint)first * Config.HiddenSize, _values.Head, space.Logits.Pointer);

    // d loss / d residual stream at the target rows, and the gradients of the output projection and the final norm.
    private void BackwardHead(TrainingLane lane, PackedBatch batch, ReadOnlySpan<float> gradientOfLogProb)
    {
        var space = lane.Workspace;
        int count = batch.TargetRows.Length, hidden = Config.HiddenSize, vocabulary = Config.VocabularySize;
        float* norms = space.RowStatistics.Pointer, logSums = norms + count, sums = norms + 2 * count;
        float[] ofRows = new float[count], ofTargets = new float[batch.Targets.Count];
        for (var i = 0; i < ofTargets.Length; i++)
        {
            ofRows[batch.TargetSlots[i]] += gradientOfLogProb[i];
            ofTargets[i] = gradientOfLogProb[batch.TargetOrder[i]];
        }

        _kernels.CopyIn(ofRows, sums);
        _kernels.CopyIn(ofTargets, space.TargetValues.Pointer);
        var headGradient = Adapter is null
            ? lane.GradientPointer + Weights.Tensor(Config.TiedEmbeddings ? ParameterNames.Embedding : ParameterNames.Head).Offset
            : null;
        for (var end = count; end > 0; end -= space.ChunkRows)
        {
            var first = Math.Max(0, end - space.ChunkRows);
            var rows = end - first;
            if (end < count) ComputeLogits(space, first, rows);
            var logits = space.Logits.Pointer;

            // d log p / d logits = (1[token] − softmax) / temperature
            _kernels.SoftmaxGradient(rows, vocabulary, logits, space.InverseTemperature, logSums + first, sums + first);
            var (start, targets) = space.Plan.TargetsOf(first, first + rows);
            _kernels.AddAtTargets(targets, vocabulary, logits, space.InverseTemperature, space.TargetValues.Pointer + start);
            _kernels.ProjectBack(rows, logits, _values.Head, space.HeadGradient.Pointer + (nint)first * hidden);
            if (headGradient is not null)
                _kernels.AddWeightGradient(
                    rows, vocabulary, hidden, logits, vocabulary, space.HeadInput.Pointer + (nint)first * hidden, headGradient);
        }

        _kernels.RmsNormBackward(
            HeadRows(space, count), space.HeadGradient.Pointer, space.Output.Pointer, _values.FinalNorm, norms, space.Gradient.Pointer,
            GradientOf(lane, ParameterNames.FinalNorm), accumulate: true);
    }

    // Where the gradient of a weight goes; null while an adapter is trained.
    private float* GradientOf(TrainingLane lane, string name) => Adapter is null ? lane.GradientPointer + Weights.Tensor(name).Offset : null;

    private void CheckTokens(PackedBatch batch)
    {
        foreach (var token in batch.Tokens) CheckToken(token);
        foreach (var target in batch.Targets) CheckToken(target.Token);
    }

    private void CheckToken(int token)
    {
        if ((uint)token >= (uint)Config.VocabularySize)
            throw new ArgumentOutOfRangeException(nameof(token), token, $"Token id {token} is outside the vocabulary of {Config.VocabularySize}.");
    }
}
