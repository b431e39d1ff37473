using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Hone;

namespace NativeAot;

/// <summary>How urgent a request is.</summary>
public enum Urgency
{
    /// <summary>Some day.</summary>
    [JsonStringEnumMemberName("can wait")]
    Low,

    /// <summary>Soon.</summary>
    Normal,

    /// <summary>Now.</summary>
    [JsonStringEnumMemberName("on fire")]
    High,
}

/// <summary>Who asks, with a name that may be missing.</summary>
public sealed record Customer(string Company, string? Contact, [property: Range(1, 500)] int Seats = 1);

/// <summary>What is to be done next.</summary>
public sealed record Step([property: Description("imperative sentence")] string Action, TimeSpan? Within);

/// <summary>The plan for a request.</summary>
public sealed record Plan
{
    /// <summary>How urgent it is.</summary>
    public required Urgency Urgency { get; init; }

    /// <summary>The customer as understood.</summary>
    public required Customer Customer { get; init; }

    /// <summary>Pages of the handbook.</summary>
    [JsonPropertyName("handbook_pages")]
    public required List<int> Pages { get; init; }

    /// <summary>Hours by team.</summary>
    public required IReadOnlyDictionary<string, double> Hours { get; init; }

    /// <summary>Steps in order.</summary>
    public IReadOnlyList<Step> Steps { get; init; } = [];

    /// <summary>The ticket that this one repeats.</summary>
    public long? DuplicateOf { get; init; }

    /// <summary>First and last day.</summary>
    public (DateOnly From, DateOnly To) Window { get; init; }

    /// <summary>Names of people to tell; one may be unknown.</summary>
    public string?[] Watchers { get; init; } = [];
}

/// <summary>Reads a request and plans it: predictors as partial methods, with everything that a typed signature may hold.</summary>
public sealed partial class Helpdesk : Module<string, Plan>
{
    [ChainOfThought("Plan the support request.")]
    private partial Task<Plan> PlanRequest(
        string request, Customer? caller, IReadOnlyDictionary<string, Customer> directory, CancellationToken cancellationToken);

    /// <inheritdoc/>
    protected override Task<Plan> ForwardAsync(string input, CancellationToken cancellationToken) => PlanRequest(
        input, new("Acme", null, 12), new Dictionary<string, Customer> { ["acme"] = new("Acme", "Ann") }, cancellationToken);
}
