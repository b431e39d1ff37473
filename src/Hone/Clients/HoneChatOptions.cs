using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Chat options with what Hone's own parts need to know of a call and no provider sees. Predictors always pass them.</summary>
public sealed class HoneChatOptions : ChatOptions
{
    /// <summary>Creates options without any choice.</summary>
    public HoneChatOptions()
    {
    }

    /// <summary>Copies options, collections included.</summary>
    private HoneChatOptions(HoneChatOptions other) : base(other) => CopyFrom(other);

    private HoneChatOptions(ChatOptions other) : base(other)
    {
    }

    /// <summary>Path of the predictor that calls; null outside a program.</summary>
    public string? Path { get; set; }

    /// <summary>Which call of this predictor it is in the run, from 0.</summary>
    public int Ordinal { get; set; }

    /// <summary>What the call is for, e.g. <c>judge</c>; null takes the model's role.</summary>
    public string? Role { get; set; }

    /// <summary>Number of an independent sample: calls that differ in it are cached apart. Never sent to a provider.</summary>
    public long? SampleId { get; set; }

    /// <summary>Whether log-probabilities are asked for. Such calls are not cached: a stored answer would lack them.</summary>
    public bool? LogProbs { get; set; }

    /// <summary>True when the answer's schema was made for a provider that keeps to it strictly.</summary>
    internal bool IsStrictFormat { get; set; }

    /// <summary>The budget's hold on this call, so that a retry can ask for one more.</summary>
    internal BudgetReservation? Reservation { get; set; }

    /// <inheritdoc/>
    public override ChatOptions Clone() => new HoneChatOptions(this);

    /// <summary>A copy of any options as Hone's.</summary>
    internal static HoneChatOptions CopyOf(ChatOptions? options) => options switch
    {
        null => new(),
        HoneChatOptions own => (HoneChatOptions)own.Clone(),
        _ => new(options),
    };

    private void CopyFrom(HoneChatOptions other)
    {
        Path = other.Path;
        Ordinal = other.Ordinal;
        Role = other.Role;
        SampleId = other.SampleId;
        LogProbs = other.LogProbs;
        IsStrictFormat = other.IsStrictFormat;
        Reservation = other.Reservation;
    }
}
