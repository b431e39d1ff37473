using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Optimizers;

/// <summary>Where <see cref="MlflowTracker"/> writes.</summary>
public sealed record MlflowOptions
{
    /// <summary>Name of the experiment; made when it is not there.</summary>
    /// <value><c>hone</c> by default.</value>
    public string Experiment { get; init; } = "hone";

    /// <summary>Name of the run; the optimizer's when null.</summary>
    public string? RunName { get; init; }

    /// <summary>Id of a run that exists already, e.g. one of a surrounding program: it is written to, but neither made nor ended.</summary>
    public string? RunId { get; init; }

    /// <summary>Stands before the names of all metrics, parameters and tags, e.g. <c>gepa/</c>.</summary>
    public string Prefix { get; init; } = string.Empty;

    /// <summary>The clock of the run's times.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>
/// Writes optimizer runs to an MLflow tracking server by its REST interface (version 2.0): parameters, scores by step, texts, costs, outcome; at the end, tables of
/// candidates, scores, fronts and proposals, and the tree of what was made from what.
/// </summary>
/// <remarks>
/// One tracker keeps one run. Credentials belong to the <see cref="HttpClient"/>. Tables and tree are files: they are written where the server keeps files itself,
/// as it does by default, and a tag says so where it does not.
/// </remarks>
public sealed class MlflowTracker : IOptimizationTracker
{
    // Limits of the server: longer values are refused.
    private const int MaxParameterLength = 6000;
    private const int MaxTagLength = 5000;
    private const string Tables = "mlflow.loggedArtifacts";

    private readonly HttpClient http;
    private readonly Uri server;
    private readonly MlflowOptions options;
    private readonly List<TextProposed> proposals = [];
    private ImmutableSortedDictionary<string, string> instructions = ImmutableSortedDictionary<string, string>.Empty;
    private string? runId;
    private double? best;
    private int bestIndex;
    private double[] highest = [];
    private int judged;
    private int validation;

    /// <summary>Creates a tracker.</summary>
    /// <param name="http">The client; it is not disposed.</param>
    /// <param name="server">Address of the tracking server, e.g. <c>http://localhost:5000</c>.</param>
    /// <param name="options">Experiment, run, names.</param>
    public MlflowTracker(HttpClient http, Uri server, MlflowOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(http);
        ArgumentNullException.ThrowIfNull(server);
        (this.http, this.options) = (http, options ?? new());
        this.server = new(server.AbsoluteUri.TrimEnd('/') + "/api/2.0/mlflow/");
        runId = this.options.RunId;
    }

    /// <summary>Id of the run on the server; null before it begins.</summary>
    public string? RunId => runId;

    /// <inheritdoc/>
    /// <exception cref="HttpRequestException">The server cannot be reached or refuses the request.</exception>
    public async ValueTask RecordAsync(OptimizerEvent happened, CancellationToken cancellationToken = default)
    {
        switch (happened)
        {
            case OptimizerStarted started:
                await StartAsync(started, cancellationToken).ConfigureAwait(false);
                break;
            case CandidateScored { Candidate.Score: { } score } scored:
                Observe(scored.Candidate, score);
                await LogAsync(Metrics(scored, score), [], [new("candidate", scored.Candidate.Index)], cancellationToken).ConfigureAwait(false);
                break;
            case TextProposed proposed:
                proposals.Add(proposed);
                break;
            case ProposalJudged proposal:
                await LogAsync(Subsample(proposal), [], [], cancellationToken, ++judged).ConfigureAwait(false);
                break;
            case OptimizerSpent spent:
                await LogAsync(Spending(spent), [], [], cancellationToken, spent.ProgramRuns).ConfigureAwait(false);
                break;
            case OptimizerFinished finished:
                await FinishAsync(finished, cancellationToken).ConfigureAwait(false);
                break;
            case OptimizerFailed failed when runId is not null:
                await LogAsync([], [], [new("error", failed.Error)], cancellationToken).ConfigureAwait(false);
                await EndAsync(failed.IsCancelled ? "KILLED" : "FAILED", cancellationToken).ConfigureAwait(false);
                break;
        }
    }

    private async Task StartAsync(OptimizerStarted started, CancellationToken cancellationToken)
    {
        (best, bestIndex, highest, judged, validation) = (null, 0, [], 0, started.ValidationCount);
        instructions = started.Instructions;
        proposals.Clear();
        if (runId is null)
        {
            var created = await SendAsync(HttpMethod.Post, "runs/create", new()
            {
                ["experiment_id"] = await ExperimentAsync(cancellationToken).ConfigureAwait(false),
                ["run_name"] = options.RunName ?? started.Optimizer,
                ["start_time"] = Now,
            }, cancellationToken).ConfigureAwait(false);
            runId = created!.Value.GetProperty("run").GetProperty("info").GetProperty("run_id").GetString();
        }

        await LogAsync(
            [],
            [
                new("optimizer", started.Optimizer),
                new("settings", started.Settings),
                new("estimate", $"{started.Estimate}"),
                new("train_count", $"{started.TrainCount}"),
                new("validation_count", $"{started.ValidationCount}"),
            ],
            [],
            cancellationToken).ConfigureAwait(false);
    }

    private async Task<string> ExperimentAsync(CancellationToken cancellationToken)
    {
        var found = await SendAsync(
            HttpMethod.Get, $"experiments/get-by-name?experiment_name={Uri.EscapeDataString(options.Experiment)}", null, cancellationToken).ConfigureAwait(false);
        if (found is { } existing)
            return existing.GetProperty("experiment").GetProperty("experiment_id").GetString()!;
        var created = await SendAsync(HttpMethod.Post, "experiments/create", new() { ["name"] = options.Experiment }, cancellationToken).ConfigureAwait(false);
        return created!.Value.GetProperty("experiment_id").GetString()!;
    }

    private void Observe(OptimizationCandidate candidate, double score)
    {
        if (best is null || score > best)
            (best, bestIndex) = (score, candidate.Index);
        highest = highest.Length == candidate.Scores.Length ? [.. highest.Zip(candidate.Scores, Math.Max)] : [.. candidate.Scores];
    }

    // Names as the GEPA engine's trackers use them, so that dashboards made for those show these runs.
    private List<KeyValuePair<string, double>> Metrics(CandidateScored scored, double score) =>
    [
        new("val_program_average", score),
        new("best_score_on_valset", best!.Value),
        new("new_program_idx", scored.Candidate.Index),
        new("best_program_as_per_agg_score_valset", bestIndex),
        new("linear_pareto_front_program_idx", bestIndex),
        new("valset_pareto_front_agg", highest.Length == 0 ? score : highest.Average()),
        new("val_evaluated_count_new_program", scored.Candidate.Scores.Length),
        new("val_total_count", validation),
        new("total_metric_calls", scored.Candidate.ProgramRunsBy),
        .. scored.Candidate.Parts.Select(part => KeyValuePair.Create($"objective/{part.Key}", part.Value)),
    ];

    // What was not measured has no number.
    private static List<KeyValuePair<string, double>> Subsample(ProposalJudged proposal) =>
        [.. new KeyValuePair<string, double>[] { new("subsample/before", proposal.Before), new("subsample/after", proposal.After) }.Where(metric => double.IsFinite(metric.Value))];

    private static List<KeyValuePair<string, double>> Spending(OptimizerSpent spent) =>
    [
        new("program_runs", spent.ProgramRuns),
        .. spent.UsageByRole.SelectMany(role => new KeyValuePair<string, double>[]
        {
            new($"{role.Key}/calls", role.Value.Calls),
            new($"{role.Key}/tokens", role.Value.TotalTokens),
            new($"{role.Key}/cost", (double)role.Value.Cost),
        }),
    ];

    private async Task FinishAsync(OptimizerFinished finished, CancellationToken cancellationToken)
    {
        try
        {
            await LogAsync(
                [],
                [],
                [
                    new("verdict", finished.Verdict), new("stop_reason", finished.Reason), new("best_candidate", finished.BestIndex),
                    .. instructions.Select(text => KeyValuePair.Create<string, object>($"seed/{text.Key}", text.Value)), .. BestTexts(finished),
                ],
                cancellationToken).ConfigureAwait(false);
            if (!finished.Candidates.IsEmpty)
                await WriteFilesAsync(finished, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await EndAsync(finished.Error is not null ? "FAILED" : finished.Reason == StopReason.Requested ? "KILLED" : "FINISHED", cancellationToken).ConfigureAwait(false);
        }
    }

    private IEnumerable<KeyValuePair<string, object>> BestTexts(OptimizerFinished finished) => finished.Candidates.IsEmpty
        ? []
        : instructions.Select(text => KeyValuePair.Create<string, object>($"best/{text.Key}", finished.Candidates[finished.BestIndex].State[text.Key].Instructions ?? text.Value));

    private async Task WriteFilesAsync(OptimizerFinished finished, CancellationToken cancellationToken)
    {
        var run = (await SendAsync(HttpMethod.Get, $"runs/get?run_id={Uri.EscapeDataString(runId!)}", null, cancellationToken).ConfigureAwait(false))!.Value.GetProperty("run");
        var kept = run.GetProperty("info").TryGetProperty("artifact_uri", out var place) ? place.GetString() : null;
        if (FilesAt(kept) is not { } files)
        {
            await LogAsync([], [], [new("files", $"Tables and tree were not written: the server does not keep files itself, but at {kept ?? "no place that it tells"}.")], cancellationToken).ConfigureAwait(false);
            return;
        }

        var tables = TablesOf(run);
        foreach (var (name, json) in MlflowTables.Of(finished.Candidates, instructions, proposals))
        {
            var path = $"{options.Prefix}{name}.json";
            await PutAsync(files, path, json, "application/json", cancellationToken).ConfigureAwait(false);
            if (!tables.Any(table => table?["path"]?.GetValue<string>() == path))
                tables.Add((JsonNode)new JsonObject { ["path"] = path, ["type"] = "table" });
        }

        await PutAsync(files, $"{options.Prefix}candidate_tree.html", LineageTree.Page(finished.Candidates, finished.BestIndex), "text/html", cancellationToken).ConfigureAwait(false);
        await SendAsync(HttpMethod.Post, "runs/set-tag", new() { ["run_id"] = runId, ["key"] = Tables, ["value"] = tables.ToJsonString() }, cancellationToken).ConfigureAwait(false);
    }

    // The server takes files in its store's stead where the run's place is "mlflow-artifacts:/…", or tells an address of its own.
    private string? FilesAt(string? place)
    {
        if (!Uri.TryCreate(place, UriKind.Absolute, out var uri))
            return null;
        return uri.Scheme switch
        {
            "mlflow-artifacts" when uri.Host.Length == 0 => $"{server.AbsoluteUri[..^"mlflow/".Length]}mlflow-artifacts/artifacts{uri.AbsolutePath}",
            "http" or "https" => uri.AbsoluteUri,
            _ => null,
        };
    }

    // Tables that others have written to the run stay.
    private static JsonArray TablesOf(JsonElement run)
    {
        if (run.TryGetProperty("data", out var data) && data.TryGetProperty("tags", out var tags))
        {
            foreach (var tag in tags.EnumerateArray())
            {
                if (tag.GetProperty("key").GetString() == Tables && JsonNode.Parse(tag.GetProperty("value").GetString()!) is JsonArray known)
                    return known;
            }
        }

        return [];
    }

    private async Task PutAsync(string files, string path, string text, string mediaType, CancellationToken cancellationToken)
    {
        using var content = new StringContent(text, Encoding.UTF8, mediaType);
        using var response = await http.PutAsync(new Uri($"{files.TrimEnd('/')}/{string.Join('/', path.Split('/').Select(Uri.EscapeDataString))}"), content, cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
            throw new HttpRequestException($"The MLflow server refused the file {path} with {(int)response.StatusCode}.", null, response.StatusCode);
    }

    private async Task EndAsync(string status, CancellationToken cancellationToken)
    {
        if (options.RunId is not null)
            return;
        await SendAsync(HttpMethod.Post, "runs/update", new()
        {
            ["run_id"] = runId,
            ["status"] = status,
            ["end_time"] = Now,
        }, cancellationToken).ConfigureAwait(false);
    }

    private Task LogAsync(
        IReadOnlyList<KeyValuePair<string, double>> metrics,
        IReadOnlyList<KeyValuePair<string, string>> parameters,
        IReadOnlyList<KeyValuePair<string, object>> tags,
        CancellationToken cancellationToken,
        long? step = null)
    {
        step ??= tags.FirstOrDefault(tag => tag.Key == "candidate").Value as int? ?? 0;
        var now = Now;
        return SendAsync(HttpMethod.Post, "runs/log-batch", new()
        {
            ["run_id"] = runId,
            ["metrics"] = new JsonArray([.. metrics.Select(metric => new JsonObject { ["key"] = NameOf(metric.Key), ["value"] = metric.Value, ["timestamp"] = now, ["step"] = step })]),
            ["params"] = Pairs(parameters.Select(parameter => KeyValuePair.Create(parameter.Key, ProgramText.Cut(parameter.Value, MaxParameterLength - ProgramText.CutMark.Length)))),
            ["tags"] = Pairs(tags.Select(tag => KeyValuePair.Create(tag.Key, ProgramText.Cut(Convert.ToString(tag.Value, CultureInfo.InvariantCulture)!, MaxTagLength - ProgramText.CutMark.Length)))),
        }, cancellationToken);
    }

    private JsonArray Pairs(IEnumerable<KeyValuePair<string, string>> pairs) =>
        new([.. pairs.Select(pair => new JsonObject { ["key"] = NameOf(pair.Key), ["value"] = pair.Value })]);

    // Paths, roles and objectives may hold what the server refuses in a name.
    private string NameOf(string name) =>
        string.Concat((options.Prefix + name).Select(character => char.IsLetterOrDigit(character) || character is '_' or '-' or '.' or ' ' or '/' ? character : '_'));

    private long Now => options.Time.GetUtcNow().ToUnixTimeMilliseconds();

    // Null when there is no such thing (404 to a question).
    private async Task<JsonElement?> SendAsync(HttpMethod method, string path, JsonObject? body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(server, path));
        if (body is not null)
            request.Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        var text = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.NotFound && method == HttpMethod.Get)
            return null;
        if (!response.IsSuccessStatusCode)
            throw new HttpRequestException($"The MLflow server refused {path.Split('?')[0]} with {(int)response.StatusCode}: {ProgramText.Cut(text, 500)}", null, response.StatusCode);
        using var document = JsonDocument.Parse(text.Length == 0 ? "{}" : text);
        return document.RootElement.Clone();
    }
}
