using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Hone;

/// <summary>
/// What Hone tells observers: one activity source and one meter, both named <see cref="Name"/>. Names follow the semantic conventions for
/// generative AI where those have one. Nothing is computed while nobody listens.
/// </summary>
internal static class HoneDiagnostics
{
    /// <summary>Name of the activity source and of the meter.</summary>
    public const string Name = "Hone";

    public const string OperationName = "gen_ai.operation.name";
    public const string ProviderName = "gen_ai.provider.name";
    public const string RequestModel = "gen_ai.request.model";
    public const string ResponseModel = "gen_ai.response.model";
    public const string ResponseId = "gen_ai.response.id";
    public const string FinishReasons = "gen_ai.response.finish_reasons";
    public const string InputTokens = "gen_ai.usage.input_tokens";
    public const string OutputTokens = "gen_ai.usage.output_tokens";
    public const string TokenType = "gen_ai.token.type";
    public const string ErrorType = "error.type";
    public const string Path = "hone.path";
    public const string Role = "hone.role";

    private static readonly string? Version = typeof(HoneDiagnostics).Assembly.GetName().Version?.ToString(3);

    public static ActivitySource Source { get; } = new(Name, Version);

    public static Meter Meter { get; } = new(Name, Version);

    public static Histogram<long> TokenUsage { get; } = Meter.CreateHistogram(
        "gen_ai.client.token.usage", "{token}", "Tokens of one call, by kind.",
        advice: new InstrumentAdvice<long> { HistogramBucketBoundaries = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304] });

    public static Histogram<double> Duration { get; } = Meter.CreateHistogram(
        "gen_ai.client.operation.duration", "s", "Time of one call, retries included.",
        advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [.01, .02, .04, .08, .16, .32, .64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92] });

    public static Counter<double> Cost { get; } = Meter.CreateCounter<double>("hone.client.cost", "{USD}", "Price of calls to models whose prices are known.");

    public static Counter<long> CacheRequests { get; } = Meter.CreateCounter<long>("hone.cache.requests", "{request}", "Look-ups in the response cache, by result.");

    public static Counter<long> Retries { get; } = Meter.CreateCounter<long>("hone.retries", "{retry}", "Calls that were made again after an error.");

    public static Counter<long> Failovers { get; } = Meter.CreateCounter<long>("hone.failovers", "{call}", "Calls that went to a further model after an error.");

    public static Counter<long> BudgetRejections { get; } = Meter.CreateCounter<long>("hone.budget.rejections", "{call}", "Calls that a budget refused, by limit.");

    public static Histogram<double> RateLimitWait { get; } = Meter.CreateHistogram<double>("hone.rate_limit.wait", "s", "Time that calls waited for a rate limiter.");

    public static Counter<long> ParseFailures { get; } = Meter.CreateCounter<long>("hone.parse.failures", "{answer}", "Answers that could not be read, by adapter and kind.");

    public static Counter<long> Recoveries { get; } = Meter.CreateCounter<long>("hone.recoveries", "{call}", "Requests made because an answer could not be read, by step.");

    /// <summary>What a failure is called in spans and metrics: a code or a type, never its message, which may quote an answer or a secret.</summary>
    public static string CodeOf(Exception error) => error switch
    {
        LMException known => known.Code,
        OperationCanceledException => "cancelled",
        _ => error.GetType().Name.Split('`')[0],
    };

    public static void CountParseFailure(string adapter, string kind) =>
        ParseFailures.Add(1, new KeyValuePair<string, object?>("hone.adapter", adapter), new KeyValuePair<string, object?>("hone.parse.failure", kind));

    public static void CountRecovery(string step, string adapter) =>
        Recoveries.Add(1, new KeyValuePair<string, object?>("hone.recovery.step", step), new KeyValuePair<string, object?>("hone.adapter", adapter));
}
