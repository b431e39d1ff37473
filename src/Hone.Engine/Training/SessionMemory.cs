namespace Hone.Engine;

/// <summary>What a training session holds in the host's memory at its peak: a sum of its large buffers, without the runtime and what the program itself takes.</summary>
internal static class SessionMemory
{
    private const long Megabyte = 1 << 20;

    // First and second moments of AdamW.
    private const int Moments = 2;

    /// <param name="start">The model that training started from.</param>
    /// <param name="training">What is trained.</param>
    /// <param name="adapter">The adapter that is trained instead of all weights; null for all.</param>
    /// <param name="reference">The weights that a divergence is taken from; null without one.</param>
    /// <param name="isFrozen">Whether an adapter is trained beside weights that stay in their files.</param>
    /// <param name="options">How the model runs.</param>
    public static long BytesOf(
        EngineModel start, TrainingModel training, LoraAdapter? adapter, TrainingModel? reference, bool isFrozen, EngineOptions options)
    {
        var weights = sizeof(float) * ParameterSet.Describe(start.Config).Sum(tensor => (long)tensor.Length);
        var trained = sizeof(float) * (long)training.Trained.Values.Length;

        // Frozen: the pages of the files, and the panels that all share. Else the start, its copy under training, and the panels of sampler and trainer;
        // with an adapter also the sum of both.
        var held = isFrozen
            ? PagesOf(start.Frozen!, weights) + PanelsOf(start.Frozen!, weights)
            : weights * (adapter is null ? 4 : 5);
        if (adapter is not null)
            held += trained;
        var learning = trained * (training.Lanes.Count + Moments);
        return held + learning + ActivationsOf(training) + ReferenceOf(reference, start, weights) + (options.PrefixCacheMegabytes * Megabyte);
    }

    // Every lane may be at work, in a microbatch that is as full as it gets.
    private static long ActivationsOf(TrainingModel model)
    {
        var rows = model.MicrobatchRows + model.MicrobatchOverflow;
        return model.Lanes.Count
            * ((rows * TrainingWorkspace.BytesPerRow(model.Config, model.Memory)) + TrainingWorkspace.BytesOfLogits(model.Config, model.Kernels, rows));
    }

    private static long ReferenceOf(TrainingModel? reference, EngineModel start, long weights) => reference is null ? 0
        : ActivationsOf(reference) + (start.Frozen is null ? weights : 0);

    private static long PagesOf(FrozenWeights frozen, long weights) => frozen.Format == WeightFormat.Float32 ? weights : weights / 2;

    private static long PanelsOf(FrozenWeights frozen, long weights) => frozen.PanelFormat == PanelFormat.Single ? weights : weights / 2;
}
