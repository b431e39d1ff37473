using System.Diagnostics;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace Hone;

/// <summary>One call as observers see it: a span, its duration, its tokens, and a warning when the answer was cut. Does nothing while nobody listens.</summary>
internal struct CallObservation
{
    private readonly AttemptSettings settings;
    private readonly ChatOptions? options;
    private readonly Activity? activity;
    private readonly long started;

    private CallObservation(AttemptSettings settings, ChatOptions? options, Activity? activity, long started) =>
        (this.settings, this.options, this.activity, this.started) = (settings, options, activity, started);

    /// <summary>Attempts made after the first.</summary>
    public int Retries { get; set; }

    public static CallObservation Start(AttemptSettings settings, ChatOptions? options)
    {
        if (!settings.Observes)
            return default;
        var activity = HoneDiagnostics.Source.HasListeners() ? Open(settings.Identity, options) : null;
        return new(settings, options, activity, HoneDiagnostics.Duration.Enabled ? settings.Time.GetTimestamp() : 0);
    }

    public readonly void Succeeded(ChatFinishReason? finish, UsageDetails? usage, string? responseModel, string? responseId)
    {
        if (settings is null)
            return;
        if (finish == ChatFinishReason.Length)
            WarnOfCut(usage);
        if (HoneDiagnostics.TokenUsage.Enabled && usage is not null)
        {
            Count(usage.InputTokenCount, "input");
            Count(usage.OutputTokenCount, "output");
        }

        if (HoneDiagnostics.Cost.Enabled && usage is not null && settings.Price is { } price)
            HoneDiagnostics.Cost.Add((double)price.CostOf(usage), Tags());

        if (activity is not null)
        {
            activity.SetTag(HoneDiagnostics.ResponseModel, responseModel);
            activity.SetTag(HoneDiagnostics.ResponseId, responseId);
            activity.SetTag(HoneDiagnostics.InputTokens, usage?.InputTokenCount);
            activity.SetTag(HoneDiagnostics.OutputTokens, usage?.OutputTokenCount);
            if (finish is { } reason)
                activity.SetTag(HoneDiagnostics.FinishReasons, new[] { reason.Value });
        }

        Close(null);
    }

    public readonly void Failed(Exception error)
    {
        if (settings is null)
            return;
        var code = HoneDiagnostics.CodeOf(error);
        activity?.SetTag(HoneDiagnostics.ErrorType, code);
        activity?.SetStatus(ActivityStatusCode.Error, code);
        Close(code);
    }

    private static Activity? Open(ClientIdentity identity, ChatOptions? options)
    {
        var model = options?.ModelId ?? identity.Model;
        var activity = HoneDiagnostics.Source.StartActivity($"chat {model ?? identity.Name}", ActivityKind.Client);
        if (activity is not { IsAllDataRequested: true })
            return activity;
        activity.SetTag(HoneDiagnostics.OperationName, "chat");
        activity.SetTag(HoneDiagnostics.ProviderName, identity.Provider);
        activity.SetTag(HoneDiagnostics.RequestModel, model);
        activity.SetTag("server.address", identity.Endpoint?.Host);
        activity.SetTag("server.port", identity.Endpoint?.Port);
        activity.SetTag("gen_ai.request.temperature", options?.Temperature);
        activity.SetTag("gen_ai.request.top_p", options?.TopP);
        activity.SetTag("gen_ai.request.top_k", options?.TopK);
        activity.SetTag("gen_ai.request.max_tokens", options?.MaxOutputTokens);
        activity.SetTag("gen_ai.request.seed", options?.Seed);
        activity.SetTag(HoneDiagnostics.Role, identity.RoleOf(options));
        if (ClientIdentity.PathOf(options) is { Length: > 0 } path)
            activity.SetTag(HoneDiagnostics.Path, path);
        return activity;
    }

    private readonly void Close(string? error)
    {
        if (HoneDiagnostics.Duration.Enabled && started != 0)
        {
            var tags = Tags();
            if (error is not null)
                tags.Add(HoneDiagnostics.ErrorType, error);
            HoneDiagnostics.Duration.Record(settings.Time.GetElapsedTime(started).TotalSeconds, tags);
        }

        if (Retries > 0)
            activity?.SetTag("hone.retries", Retries);
        activity?.Dispose();
    }

    private readonly void Count(long? tokens, string kind)
    {
        if (tokens is not { } number)
            return;
        var tags = Tags();
        tags.Add(HoneDiagnostics.TokenType, kind);
        HoneDiagnostics.TokenUsage.Record(number, tags);
    }

    private readonly TagList Tags() => new()
    {
        { HoneDiagnostics.OperationName, "chat" },
        { HoneDiagnostics.ProviderName, settings.Identity.Provider },
        { HoneDiagnostics.RequestModel, options?.ModelId ?? settings.Identity.Model ?? settings.Identity.Name },
        { HoneDiagnostics.Role, settings.Identity.RoleOf(options) },
    };

    private readonly void WarnOfCut(UsageDetails? usage)
    {
        if (!settings.Logger.IsEnabled(LogLevel.Warning))
            return;
        var limit = options?.MaxOutputTokens ?? settings.Capabilities?.MaxOutputTokens;
        HoneLog.Truncated(
            settings.Logger, settings.Identity.Name, ClientIdentity.PathOf(options), limit is { } most ? $"{most} tokens" : "the provider's own",
            options?.Temperature?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "the provider's own",
            usage?.OutputTokenCount?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "an unknown number of");
    }
}
