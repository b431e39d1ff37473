using System.Runtime.CompilerServices;

namespace Hone.Engine;

/// <summary>How an <see cref="EngineChatClient"/> runs its model. None of it but <see cref="Device"/> changes what is sampled for a given seed.</summary>
public sealed record EngineOptions
{
    /// <summary>
    /// Worker threads; each runs its share of the requests. From 4 million weights on, those without a request help the others with their steps; from 48 MB of
    /// weights on, one takes up to eight requests before the next does. Default: the number of processors.
    /// </summary>
    public int Workers { get; init => field = AtLeastOne(value); } = Environment.ProcessorCount;

    /// <summary>Requests that run at the same time, over all workers; more wait in a queue. Default 256.</summary>
    public int MaxBatchRows { get; init => field = AtLeastOne(value); } = 256;

    /// <summary>Longest prompt plus completion in tokens; null for what the model was made for. Default null.</summary>
    public int? MaxContext { get; init => field = value is null ? null : AtLeastOne(value.Value); }

    /// <summary>
    /// Memory for keys and values of past requests, from which later ones with the same beginning continue; 0 for none. Default 256.
    /// </summary>
    public int PrefixCacheMegabytes
    {
        get;
        init => field = value >= 0 ? value
            : throw new ArgumentOutOfRangeException(nameof(PrefixCacheMegabytes), value, "Must be 0 (no reuse) or positive.");
    } = 256;

    /// <summary>Version of the weights, as recorded with sampled tokens. Default 0.</summary>
    public int PolicyVersion { get; init; }

    /// <summary>Seed of calls that bring none; the n-th such call uses the n-th stream of it. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>
    /// Where the model computes: sampling, forward and backward passes, scores and the optimizer. Default: the processor. A device of another package
    /// is opened, shared and disposed by the caller; on it, what a seed gives can depend on the calls that run beside it, by rounding.
    /// </summary>
    public EngineDevice Device { get; init; } = EngineDevice.Cpu;

    /// <summary>What the chat format is told.</summary>
    public ChatTemplateOptions Template { get; init; } = new();

    private static int AtLeastOne(int value, [CallerMemberName] string property = "") =>
        value >= 1 ? value : throw new ArgumentOutOfRangeException(property, value, $"{nameof(EngineOptions)}.{property} must be at least 1.");
}
