using Microsoft.Extensions.Logging;

namespace Hone.Reinforcement;

/// <summary>What becomes of an Arbor job when its session ends.</summary>
public enum ArborJobEnd
{
    /// <summary>It is cancelled: its GPUs become free, which Arbor needs to serve the checkpoints that the run returns.</summary>
    Cancel,

    /// <summary>Its trainer saves <c>checkpoint_final</c> and stops; the inference server goes on and keeps the GPUs of both.</summary>
    Terminate,

    /// <summary>It is left as it is, so that a later run can go on with it.</summary>
    Keep,
}

/// <summary>How an Arbor server is used, and what of its trainer the run's own options do not say.</summary>
public sealed record ArborOptions
{
    /// <summary>The model to train: its name on Hugging Face, or a path on the server.</summary>
    public required string Model { get; init; }

    /// <summary>Where the server is.</summary>
    /// <value><c>http://127.0.0.1:7453/v1/</c> by default.</value>
    public Uri Address { get; init; } = new("http://127.0.0.1:7453/v1/");

    /// <summary>A name that the job's id will contain; null lets the server make one.</summary>
    public string? RunName { get; init; }

    /// <summary>Longest prompt plus completion, in tokens.</summary>
    /// <value>4096 by default.</value>
    public int MaxSequenceLength
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 2, nameof(MaxSequenceLength)); field = value; }
    } = 4096;

    /// <summary>GPUs that sample.</summary>
    /// <value>1 by default.</value>
    public int InferenceGpus
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(InferenceGpus)); field = value; }
    } = 1;

    /// <summary>GPUs that train, other than those that sample.</summary>
    /// <value>1 by default.</value>
    public int TrainingGpus
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(TrainingGpus)); field = value; }
    } = 1;

    /// <summary>Completions in one pass of one GPU. With <see cref="TrainingGpus"/> and <see cref="GradientAccumulationSteps"/> it must multiply to a multiple of the group's size.</summary>
    /// <value>The group's size by default.</value>
    public int? PerDeviceBatchSize { get; init; }

    /// <summary>Passes whose gradients are added up.</summary>
    /// <value>1 by default.</value>
    public int GradientAccumulationSteps
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(GradientAccumulationSteps)); field = value; }
    } = 1;

    /// <summary>Spends time to save memory.</summary>
    /// <value>True by default.</value>
    public bool GradientCheckpointing { get; init; } = true;

    /// <summary>Warm-up in Arbor's own steps. It takes one for every group, so the run's <c>WarmupSteps</c>, which counts batches, has no equal there.</summary>
    /// <value>0 by default.</value>
    public int WarmupGroups
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(WarmupGroups)); field = value; }
    }

    /// <summary>Most groups of the whole job; the trainer ends after them.</summary>
    /// <value>1,000,000 by default.</value>
    public int MaxGroups
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxGroups)); field = value; }
    } = 1_000_000;

    /// <summary>
    /// Most updates between the sampling of a group and learning from it. Arbor makes one for every group, so the groups of one training step are older one by one; of a step
    /// with more, so many are sent, chosen by the run's seed, and the others are left out and logged. Null sends them all.
    /// </summary>
    /// <value>Null by default: the age is told (<see cref="OptimizerStepResult.Staleness"/>), and nothing is left out.</value>
    public int? MaxStaleness
    {
        get;
        init { if (value is { } most) ArgumentOutOfRangeException.ThrowIfLessThan(most, 1, nameof(MaxStaleness)); field = value; }
    }

    /// <summary>What becomes of the job when the session ends.</summary>
    /// <value>Cancel by default.</value>
    public ArborJobEnd AtEnd { get; init; } = ArborJobEnd.Cancel;

    /// <summary>Longest wait for a job to start: models are loaded.</summary>
    /// <value>20 minutes by default.</value>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromMinutes(20);

    /// <summary>
    /// Longest wait for the trainer to ask for another group. Arbor's status stays "running" when its trainer dies, so this is how that is noticed.
    /// </summary>
    /// <value>15 minutes by default.</value>
    public TimeSpan ProgressTimeout { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Longest wait for one other HTTP answer.</summary>
    /// <value>6 minutes by default.</value>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromMinutes(6);

    /// <summary>How long a server that is down, or answers with errors of its own, is asked again.</summary>
    /// <value>2 minutes by default.</value>
    public TimeSpan RetryWindow { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How often the status is asked for.</summary>
    /// <value>1 second by default.</value>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a number may still be shown as wanted after its group has arrived.</summary>
    /// <value>3 seconds by default.</value>
    public TimeSpan StatusLag { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>The client to send with; its own time limit should be infinite. Null uses one that all sessions share.</summary>
    public HttpClient? Http { get; init; }

    /// <summary>Where repeated requests are logged; null logs nothing.</summary>
    public ILogger? Logger { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Address and model.</summary>
    public override string ToString() => $"{Model} at {Address}";

    internal ServiceConnection Connect(TimeSpan? requestTimeout = null) => new(new()
    {
        Service = "Arbor",
        Address = new Uri(Address.ToString().TrimEnd('/') + "/"),
        Http = Http,
        RequestTimeout = requestTimeout ?? RequestTimeout,
        RetryWindow = RetryWindow,
        Time = Time,
        Logger = Logger,
    });
}
