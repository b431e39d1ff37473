using Microsoft.Extensions.Logging;

namespace Hone.Reinforcement;

/// <summary>How a service that speaks the Tinker protocol is used: SkyRL on machines of your own, or a hosted one.</summary>
public sealed record TinkerOptions
{
    /// <summary>Where the service is, without <c>/api/v1</c>, e.g. <c>http://localhost:8000</c>.</summary>
    public required Uri Address { get; init; }

    /// <summary>The model to start from, as the service names it, e.g. <c>Qwen/Qwen3-4B-Instruct-2507</c>.</summary>
    public required string BaseModel { get; init; }

    /// <summary>The model's chat format and vocabulary: the protocol knows tokens only.</summary>
    public required IPolicyTokenizer Tokenizer { get; init; }

    /// <summary>Sent as <c>X-API-Key</c>; never logged, saved or shown. SkyRL needs none.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Longest prompt plus completion, in tokens.</summary>
    /// <value>32768 by default.</value>
    public int MaxSequenceLength
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 2, nameof(MaxSequenceLength)); field = value; }
    } = 32_768;

    /// <summary>Longest completion of a call that sets no limit; the protocol demands one.</summary>
    /// <value>2048 by default.</value>
    public int MaxCompletionTokens
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxCompletionTokens)); field = value; }
    } = 2048;

    /// <summary>
    /// The gradient norm that the service clips at by a setting of its own; a run that asks for another is refused. 1 is SkyRL's default
    /// (<c>trainer.policy.optimizer_config.max_grad_norm</c>), infinity means that it does not clip. Null: the service takes the norm that every step
    /// sends, as Thinking Machines' does.
    /// </summary>
    /// <value>1 by default.</value>
    public double? ServerMaxGradientNorm { get; init; } = 1;

    /// <summary>Most sequences of one request; larger batches are sent in parts whose gradients add up.</summary>
    /// <value>256 by default.</value>
    public int MaxSequencesPerRequest
    {
        get;
        init { ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaxSequencesPerRequest)); field = value; }
    } = 256;

    /// <summary>Longest wait for one HTTP answer. The service holds a request for a result up to 5 minutes.</summary>
    /// <value>6 minutes by default.</value>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromMinutes(6);

    /// <summary>Longest wait for the result of one operation, however often the service says "not yet".</summary>
    /// <value>30 minutes by default.</value>
    public TimeSpan OperationTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>How long a service that is down, or answers with errors of its own, is asked again.</summary>
    /// <value>2 minutes by default.</value>
    public TimeSpan RetryWindow { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Shortest time between two questions for one result.</summary>
    /// <value>1 second by default.</value>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often the service hears that the session is alive.</summary>
    /// <value>10 seconds by default.</value>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Frees the trained model when the session ends. Models that the session returned stop answering where the service samples from the loaded model,
    /// as SkyRL does.
    /// </summary>
    public bool UnloadOnDispose { get; init; }

    /// <summary>The client to send with; its own time limit should be infinite. Null uses one that all sessions share.</summary>
    public HttpClient? Http { get; init; }

    /// <summary>Where repeated requests are logged; null logs nothing.</summary>
    public ILogger? Logger { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Address and model; never the key.</summary>
    public override string ToString() => $"{BaseModel} at {Address}";

    internal ServiceConnection Connect() => new(new()
    {
        Service = "The Tinker service",
        Address = new Uri(Address.ToString().TrimEnd('/') + "/api/v1/"),
        Secret = ApiKey is { } key ? ("X-API-Key", key) : null,
        Http = Http,
        RequestTimeout = RequestTimeout,
        RetryWindow = RetryWindow,
        Time = Time,
        Logger = Logger,
    });
}
