using System.Collections.Immutable;
using System.Text.Json;

namespace Hone.Optimizers;

/// <summary>
/// A piece of a search that is paid for once: a run of the program on an example, a proposal. Its key says all that its result depends on; a result that
/// the journal has is taken from there.
/// </summary>
internal abstract class Unit(string key)
{
    /// <summary>What identifies the work in the run.</summary>
    public string Key { get; } = key;

    /// <summary>Units of a kind cost about the same.</summary>
    public abstract string Kind { get; }

    /// <summary>True when it counts against the budget of program runs.</summary>
    public virtual bool IsProgramRun => false;

    /// <summary>The result; null before it is known.</summary>
    public object? Outcome { get; set; }

    /// <summary>What it cost, by role.</summary>
    public abstract ImmutableSortedDictionary<string, Usage> UsageByRole { get; }

    /// <summary>What the last attempt had cost when it was broken off, by role: it was paid, and the work is done again.</summary>
    public ImmutableSortedDictionary<string, Usage>? Wasted { get; set; }

    /// <summary>Does the work and sets <see cref="Outcome"/>. A failure that belongs to the candidate is an outcome; others are thrown.</summary>
    public abstract Task ExecuteAsync(CancellationToken cancellationToken);

    /// <summary>True when the outcome says that the program or the metric threw: see <see cref="OptimizerOptions.MaxErrors"/>.</summary>
    public virtual bool IsCrash => false;

    /// <summary>What was thrown; null when nothing was.</summary>
    public virtual string? Error => null;

    /// <summary>The outcome as a JSON object.</summary>
    public abstract void Save(Utf8JsonWriter json);

    /// <summary>Sets the outcome from what <see cref="Save"/> gave.</summary>
    public abstract void Load(JsonElement saved);
}

/// <summary>A unit with a typed outcome.</summary>
internal abstract class Unit<TOutcome>(string key) : Unit(key)
    where TOutcome : class
{
    /// <exception cref="HoneException">The unit has not run.</exception>
    public TOutcome Result => Outcome as TOutcome ?? throw new HoneException($"The unit '{Key}' has no result yet.");
}
