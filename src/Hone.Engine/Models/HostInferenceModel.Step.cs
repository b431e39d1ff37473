namespace Hone.Engine;

/// <content>
/// One step, in phases. The units of a phase do not depend on each other: the worker does them alone, or together with idle threads, with the same result to
/// the last bit.
/// </content>
internal sealed unsafe partial class HostInferenceModel
{
    // Panels that the kernels pass over together: the units of a product.
    private const int GroupPanels = 4;

    // What a part should hold, so that taking it costs nothing beside doing it: some microseconds.
    private const long ProductsOfPart = 1 << 16;
    private const int RowsOfPart = 16, ActivationsOfPart = 1 << 14;

    private protected override void Compute(InferenceScratch common, ReadOnlySpan<InferenceRow> rows)
    {
        var scratch = (HostScratch)common;
        scratch.TakeRows(rows, _adapter?.InnerWidth ?? 0);
        scratch.FetchesAhead = (long)scratch.Blocks.Count * KeyValuePool.BytesOfBlock(Config) > FetchFromBytes;
        for (var row = 0; row < rows.Length; row++) CopyEmbedding(rows[row].Token, scratch.Residual.Pointer + (nint)row * Config.HiddenSize);
        for (var index = 0; index < Config.LayerCount; index++)
        {
            var (layer, update) = (_packed.Layers[index], _adapter?.Layers[index]);
            RunRows(NormalizeForAttention, scratch, index);
            RunProduct(ProjectFused, scratch, index, layer.Fused);
            if (update is not null) RunRows(UpdateFused, scratch, index);
            RunRows(WriteKeys, scratch, index);
            if (scratch.HasLongRuns) Run(AttendRuns, scratch, index, scratch.RunCount * Config.HeadCount, grain: 1);
            Run(AttendSiblings, scratch, index, scratch.SiblingGroupCount * Config.KeyValueHeadCount, grain: 1);
            RunProduct(ProjectOutput, scratch, index, layer.Output);
            if (update is not null) RunRows(UpdateOutput, scratch, index);
            RunRows(NormalizeForFeedForward, scratch, index);
            RunProduct(ProjectGateUp, scratch, index, layer.GateUp);
            if (update is not null) RunRows(UpdateGateUp, scratch, index);
            Run(Activate, scratch, index, rows.Length, 1 + (ActivationsOfPart / Config.FeedForwardSize));
            RunProduct(ProjectDown, scratch, index, layer.Down);
            if (update is not null) RunRows(UpdateDown, scratch, index);
        }

        ComputeLogits(scratch, rows);
        scratch.ForgetRows();
    }

    private void RunRows(StepPhase phase, HostScratch scratch, int layer) => Run(phase, scratch, layer, scratch.RowCount, RowsOfPart);

    private void RunProduct(StepPhase phase, HostScratch scratch, int layer, PackedMatrix weights)
    {
        var columns = GroupPanels * _kernels.PanelWidth;
        var units = (weights.Outputs + columns - 1) / columns;
        var grain = 1 + (ProductsOfPart / ((long)columns * weights.Inputs * scratch.ProductRows));
        Run(phase, scratch, layer, units, (int)grain);
    }

    private void Run(StepPhase phase, HostScratch scratch, int layer, int units, int grain)
    {
        var whole = new StepPart(this, scratch, layer, 0, units, Member: 0);
        if (units > grain && scratch.Crew is { HasHelpers: true } crew) crew.Run(phase, whole, grain);
        else phase(whole);
    }

    private void CopyEmbedding(int token, float* target)
    {
        if ((uint)token >= (uint)Config.VocabularySize)
            throw new ArgumentOutOfRangeException(nameof(token), token, $"Token id {token} is outside the vocabulary of {Config.VocabularySize}.");
        if (_frozen is null) _packed.CopyEmbedding(token, target);
        else _frozen.Gather(1, &token, target);
    }

    private void ComputeLogits(HostScratch scratch, ReadOnlySpan<InferenceRow> rows)
    {
        var (hidden, count) = (Config.HiddenSize, 0);
        for (var row = 0; row < rows.Length; row++)
        {
            scratch.SetSlot(row, rows[row].WantLogits ? count : -1);
            if (!rows[row].WantLogits) continue;
            float* input = scratch.Residual.Pointer + (nint)row * hidden, output = scratch.Normalized.Pointer + (nint)count * hidden;
            _kernels.RmsNorm(input, _packed.FinalNorm.Pointer, output, hidden, Config.NormEpsilon);
            count++;
        }

        if (count == 0) return;
        scratch.ProductRows = count;
        scratch.ReserveLogits(count);
        RunProduct(ProjectLogits, scratch, 0, _packed.Head);
    }

    private static void NormalizeForAttention(in StepPart part) => part.Model.Normalize(part, part.Weights.AttentionNorm);

    private static void NormalizeForFeedForward(in StepPart part) => part.Model.Normalize(part, part.Weights.FeedForwardNorm);

    private static void ProjectFused(in StepPart part) =>
        part.Model.Project(part, part.Scratch.Normalized, part.Weights.Fused, part.Scratch.Fused.Pointer, part.Weights.Bias);

    private static void ProjectGateUp(in StepPart part) =>
        part.Model.Project(part, part.Scratch.Normalized, part.Weights.GateUp, part.Scratch.GateUp.Pointer);

    private static void ProjectOutput(in StepPart part) => part.Model.AddProjection(part, part.Scratch.Attention, part.Weights.Output);

    private static void ProjectDown(in StepPart part) => part.Model.AddProjection(part, part.Scratch.Activated, part.Weights.Down);

    private static void ProjectLogits(in StepPart part) =>
        part.Model.Project(part, part.Scratch.Normalized, part.Model._packed.Head, part.Scratch.AllLogits.Pointer);

    private static void UpdateFused(in StepPart part) =>
        part.Model.Update(part, part.Updates.Fused, part.Scratch.Normalized, part.Model.Config.HiddenSize, part.Scratch.Fused);

    private static void UpdateOutput(in StepPart part) =>
        part.Model.Update(part, part.Updates.Output, part.Scratch.Attention, part.Model.Config.QueryWidth, part.Scratch.Residual);

    private static void UpdateGateUp(in StepPart part) =>
        part.Model.Update(part, part.Updates.GateUp, part.Scratch.Normalized, part.Model.Config.HiddenSize, part.Scratch.GateUp);

    private static void UpdateDown(in StepPart part) =>
        part.Model.Update(part, part.Updates.Down, part.Scratch.Activated, part.Model.Config.FeedForwardSize, part.Scratch.Residual);

    // Rotates queries and keys and stores keys and values.
    private static void WriteKeys(in StepPart part)
    {
        var (model, scratch) = (part.Model, part.Scratch);
        var (config, kernels) = (model.Config, model._kernels);
        var width = config.HeadWidth;
        for (var row = part.First; row < part.End; row++)
        {
            var query = scratch.Fused.Pointer + (nint)row * config.FusedAttentionWidth;
            var position = scratch.Rows[row].Position;
            if (config.QueryKeyNorm) model.NormalizeHeads(part.Weights, query);
            for (var head = 0; head < config.HeadCount + config.KeyValueHeadCount; head++)
                kernels.Rotate(query + head * width, scratch.Rotary.Cosines(position), scratch.Rotary.Sines(position), width / 2, 1f);
            var keys = query + config.QueryWidth;
            InferenceAttention.Write(config, kernels, part.Layer, scratch.Rows[row].Segment, position, keys, keys + config.KeyValueWidth);
        }
    }

    // A unit is a query head of a run.
    private static void AttendRuns(in StepPart part)
    {
        var (config, scratch) = (part.Model.Config, part.Scratch);
        for (var unit = part.First; unit < part.End; unit++)
        {
            ref readonly var run = ref scratch.Runs[unit / config.HeadCount];
            if (run.Count == 1) continue;
            InferenceAttention.AttendRun(config, part.Model._kernels, scratch, scratch.AttentionOf(part.Member), part.Layer, run, unit % config.HeadCount);
        }
    }

    // A unit is a key head of a group.
    private static void AttendSiblings(in StepPart part)
    {
        var (config, scratch) = (part.Model.Config, part.Scratch);
        for (var unit = part.First; unit < part.End; unit++)
        {
            var (group, head) = (unit / config.KeyValueHeadCount, unit % config.KeyValueHeadCount);
            InferenceAttention.AttendSiblings(config, part.Model._kernels, scratch, scratch.AttentionOf(part.Member), part.Layer, group, head);
        }
    }

    private static void Activate(in StepPart part)
    {
        var (scratch, inner) = (part.Scratch, part.Model.Config.FeedForwardSize);
        for (var row = part.First; row < part.End; row++)
        {
            var gate = scratch.GateUp.Pointer + (nint)row * 2 * inner;
            part.Model._kernels.SwiGlu(gate, gate + inner, scratch.Activated.Pointer + (nint)row * inner, inner);
        }
    }

    private void Normalize(in StepPart part, NativeBuffer weight)
    {
        nint hidden = Config.HiddenSize;
        float* input = part.Scratch.Residual.Pointer, output = part.Scratch.Normalized.Pointer;
        for (var row = part.First; row < part.End; row++)
            _kernels.RmsNorm(input + row * hidden, weight.Pointer, output + row * hidden, Config.HiddenSize, Config.NormEpsilon);
    }

    private void NormalizeHeads(PackedLayer layer, float* head)
    {
        for (var i = 0; i < Config.HeadCount + Config.KeyValueHeadCount; i++, head += Config.HeadWidth)
            _kernels.RmsNorm(head, (i < Config.HeadCount ? layer.QueryNorm : layer.KeyNorm)!.Pointer, head, Config.HeadWidth, Config.NormEpsilon);
    }

    private void AddProjection(in StepPart part, NativeBuffer x, PackedMatrix weights)
    {
        var residual = part.Scratch.Residual.Pointer;
        Project(part, x, weights, residual, residual, Config.HiddenSize);
    }

    // The part's columns of Y [rows, outputs] = initial + X [rows, inputs] · Wᵀ.
    private void Project(in StepPart part, NativeBuffer x, PackedMatrix weights, float* y, float* initial = null, nint rowStrideInitial = 0)
    {
        var panel = part.First * GroupPanels;
        var first = panel * _kernels.PanelWidth;
        var columns = Math.Min(part.End * GroupPanels * _kernels.PanelWidth, weights.Outputs) - first;
        _kernels.Multiply(
            part.Scratch.ProductRows, columns, weights.Inputs, new MatrixView(x.Pointer, weights.Inputs), weights.View.From(panel), y + first, weights.Outputs,
            initial is null ? null : initial + first, rowStrideInitial);
    }

    // The part's rows of Y [rows, width] += what the adapter adds for X [rows, inputs].
    private void Update(in StepPart part, LowRankGroup update, NativeBuffer x, int inputs, NativeBuffer y)
    {
        nint first = part.First;
        var inner = part.Scratch.LowRank!.Pointer + first * _adapter!.InnerWidth;
        update.Add(part.End - part.First, x.Pointer + first * inputs, y.Pointer + first * update.Width, inner);
    }
}
