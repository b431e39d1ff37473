using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Hone.Optimizers;

/// <summary>What a model answered to an optimizer's question, or why it could not.</summary>
internal sealed record Proposal<TReply>(TReply? Reply, string? Error)
    where TReply : class
{
    public ImmutableSortedDictionary<string, Usage> UsageByRole { get; init; } = ImmutableSortedDictionary<string, Usage>.Empty;

    /// <summary>True when the prompt was too long for the model.</summary>
    public bool IsTooLong { get; init; }
}

/// <summary>A question to a model that writes texts.</summary>
/// <param name="Key">Its logical place in the search, e.g. <c>copro|1|answer|3</c>: the same in every run with the same seed.</param>
/// <param name="Request">What is asked.</param>
internal sealed record AskRequest<TRequest>(string Key, TRequest Request)
{
    /// <summary>Number of an independent sample; 0 may come from a cache.</summary>
    public long Sample { get; init; }

    /// <summary>Sampling temperature; null leaves it to the model.</summary>
    public double? Temperature { get; init; }

    /// <summary>True when a shorter question can be asked in its place: then a request that a model refuses is taken for one that is too long.</summary>
    public bool CanBeShortened { get; init; }
}

/// <summary>Asks a proposer.</summary>
internal sealed class AskUnit<TRequest, TReply>(
    Program<TRequest, TReply> proposer, AskRequest<TRequest> request, SeedStream seed, JsonTypeInfo<TReply> json) : Unit<Proposal<TReply>>("ask|" + request.Key)
    where TReply : class
{
    public override string Kind => "ask " + proposer.Module.GetType().Name;

    public override ImmutableSortedDictionary<string, Usage> UsageByRole => Result.UsageByRole;

    public override async Task ExecuteAsync(CancellationToken cancellationToken)
    {
        var options = new RunOptions
        {
            Options = new() { Temperature = (float?)request.Temperature, SampleId = request.Sample == 0 ? null : request.Sample },
            Seed = seed.Derive("ask " + request.Key, request.Sample).Seed,
        };
        var outcome = await proposer.TryRunAsync(request.Request, options, cancellationToken).ConfigureAwait(false);
        var usage = outcome.Trace.UsageByRole;
        if (outcome.Error is not { SourceException: var error })
        {
            Outcome = new Proposal<TReply>(outcome.Value, null) { UsageByRole = usage };
            return;
        }

        if (SearchFaults.Refusal(error) is not null || SearchFaults.IsOutage(error) || SearchFaults.IsFatal(error))
        {
            Wasted = usage;
            outcome.Error.Throw();
        }

        Outcome = new Proposal<TReply>(null, error.Message)
        {
            UsageByRole = usage,
            IsTooLong = error is ContextWindowExceededException || (request.CanBeShortened && error is LMInvalidRequestException),
        };
    }

    public override void Save(Utf8JsonWriter saved)
    {
        saved.WriteStartObject();
        if (Result.Reply is { } reply)
        {
            saved.WritePropertyName("reply");
            JsonSerializer.Serialize(saved, reply, json);
        }

        if (Result.Error is not null)
            saved.WriteString("error", Result.Error);
        if (Result.IsTooLong)
            saved.WriteBoolean("tooLong", true);
        UsageJson.Write(saved, "usage", Result.UsageByRole);
        saved.WriteEndObject();
    }

    public override void Load(JsonElement saved) => Outcome = new Proposal<TReply>(
        saved.TryGetProperty("reply", out var reply) ? reply.Deserialize(json) : null,
        saved.TryGetProperty("error", out var error) ? error.GetString() : null)
    {
        UsageByRole = saved.TryGetProperty("usage", out var usage) ? UsageJson.Read(usage) : ImmutableSortedDictionary<string, Usage>.Empty,
        IsTooLong = saved.TryGetProperty("tooLong", out _),
    };
}
