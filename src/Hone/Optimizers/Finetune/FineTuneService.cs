using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Hone.Optimizers;

/// <summary>Files and fine-tuning jobs as OpenAI's interface has them, for its own service and for servers that follow it.</summary>
internal sealed class FineTuneService(HttpClient http, Uri server, TimeSpan pollInterval, TimeProvider time)
{
    private readonly Uri root = new(server.AbsoluteUri.TrimEnd('/') + "/");

    /// <summary>Whether the service has such a path at all.</summary>
    public async Task<bool> HasAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await http.GetAsync(new Uri(root, path), cancellationToken).ConfigureAwait(false);
        return response.StatusCode is not (HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed);
    }

    /// <summary>
    /// Uploads the rows, creates a job and waits for it; returns the tuned model's name. With a directory the job's id is kept, and a run that was interrupted waits for the
    /// job that it had created.
    /// </summary>
    /// <param name="job">What is tuned.</param>
    /// <param name="describe">The request that creates the job, from the id of the uploaded file.</param>
    /// <param name="cancellationToken">Stops waiting; the job goes on.</param>
    public async Task<string> TuneAsync(FineTuneJob job, Func<string, JsonObject> describe, CancellationToken cancellationToken)
    {
        var kept = job.Directory is null ? null : Path.Combine(job.Directory, $"{job.Name}.job.json");
        var id = kept is not null && File.Exists(kept) ? await ReadIdAsync(kept, cancellationToken).ConfigureAwait(false) : null;
        if (id is null)
        {
            id = await CreateAsync(describe(await UploadAsync(job, cancellationToken).ConfigureAwait(false)), cancellationToken).ConfigureAwait(false);
            if (kept is not null)
                await AtomicFile.WriteTextAsync(kept, new JsonObject { ["job"] = id }.ToJsonString() + "\n", cancellationToken).ConfigureAwait(false);
        }

        return await WaitAsync(job, id, cancellationToken).ConfigureAwait(false);
    }

    private async Task<string> UploadAsync(FineTuneJob job, CancellationToken cancellationToken)
    {
        using var form = new MultipartFormDataContent();
        using var purpose = new StringContent("fine-tune");
        using var file = new ByteArrayContent(FineTuneData.ToBytes(job.Rows));
        file.Headers.ContentType = new MediaTypeHeaderValue("application/jsonl");
        form.Add(purpose, "purpose");
        form.Add(file, "file", $"{job.Name}.jsonl");
        var reply = await SendAsync(HttpMethod.Post, "files", form, cancellationToken).ConfigureAwait(false);
        return reply.GetProperty("id").GetString()!;
    }

    private async Task<string> CreateAsync(JsonObject body, CancellationToken cancellationToken)
    {
        using var content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json");
        var reply = await SendAsync(HttpMethod.Post, "fine_tuning/jobs", content, cancellationToken).ConfigureAwait(false);
        return reply.GetProperty("id").GetString()!;
    }

    private async Task<string> WaitAsync(FineTuneJob job, string id, CancellationToken cancellationToken)
    {
        var last = string.Empty;
        while (true)
        {
            var reply = await SendAsync(HttpMethod.Get, $"fine_tuning/jobs/{Uri.EscapeDataString(id)}", null, cancellationToken).ConfigureAwait(false);
            var status = reply.GetProperty("status").GetString()!;
            if (status != last)
                job.Report?.Invoke($"{job.Name}: job {id} is {status}");
            last = status;
            switch (status)
            {
                case "succeeded":
                    return reply.GetProperty("fine_tuned_model").GetString()!;
                case "failed" or "cancelled":
                    throw new HoneException($"The fine-tuning job {id} of '{job.Name}' {(status == "failed" ? "failed" : "was cancelled")}: {ReasonOf(reply)}");
            }

            await Task.Delay(pollInterval, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static string ReasonOf(JsonElement reply) =>
        reply.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object && error.TryGetProperty("message", out var message)
            ? message.GetString() ?? "no explanation"
            : "no explanation";

    private async Task<JsonElement> SendAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(root, path)) { Content = content };
        using var response = await http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        var text = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
            throw new HoneException($"The fine-tuning service refused {path} with {(int)response.StatusCode}: {SecretText.Scrub(ProgramText.Cut(text, 500))}");
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    private static async Task<string?> ReadIdAsync(string path, CancellationToken cancellationToken)
    {
        using var document = JsonDocument.Parse(await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false));
        return document.RootElement.GetProperty("job").GetString();
    }
}
