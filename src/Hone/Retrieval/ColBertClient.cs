using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Hone;

/// <summary>
/// Asks a server of a ColBERTv2 index (Santhanam et al. 2022): <c>?query=…&amp;k=…</c>, or the same as JSON, answered by a list <c>topk</c> of passages.
/// A passage's title is what stands before <c> | </c> in its text.
/// </summary>
public sealed class ColBertClient : IRetriever
{
    private const string TitleMark = " | ";
    private const int MaxAnswerText = 300;

    private readonly HttpClient client;
    private readonly Uri address;
    private readonly ColBertOptions options;
    private long calls;

    /// <summary>Creates the client.</summary>
    /// <param name="client">Sends the requests; the caller disposes it.</param>
    /// <param name="address">Address of the search, e.g. <c>http://localhost:8893/api/search</c>.</param>
    /// <param name="options">Kind of request, time limit, retries; null takes the defaults.</param>
    /// <exception cref="ArgumentException">The address is not an absolute http or https address.</exception>
    public ColBertClient(HttpClient client, Uri address, ColBertOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(address);
        if (!address.IsAbsoluteUri || address.Scheme is not ("http" or "https"))
            throw new ArgumentException($"'{address}' is no absolute http or https address.", nameof(address));
        (this.client, this.address, this.options) = (client, address, options ?? new());
    }

    private TimeProvider Time => options.Retry?.Time ?? TimeProvider.System;

    /// <inheritdoc/>
    /// <exception cref="RetrievalException">The server cannot be reached, refuses, takes too long, or its answer cannot be read.</exception>
    public Task<IReadOnlyList<Passage>> SearchAsync(string query, int count, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return RetrieverObservation.RunAsync(nameof(ColBertClient), query, () => FindAsync(query, count, cancellationToken), cancellationToken);
    }

    private async Task<IReadOnlyList<Passage>> FindAsync(string query, int count, CancellationToken cancellationToken)
    {
        if (count == 0)
            return [];
        var call = Interlocked.Increment(ref calls);
        for (var attempt = 1; ; attempt++)
        {
            TimeSpan delay;
            try
            {
                return await AskAsync(query, Math.Min(count, options.MaxCount), cancellationToken).ConfigureAwait(false);
            }
            catch (RetrievalException error) when (options.Retry?.DelayAfter(error, attempt, call, error.RetryAfter) is { } wait)
            {
                delay = wait;
            }

            await Task.Delay(delay, Time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<IReadOnlyList<Passage>> AskAsync(string query, int count, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(options.Timeout, Time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            using var request = Request(query, count);
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseContentRead, stop.Token).ConfigureAwait(false);
            var body = await response.Content.ReadAsByteArrayAsync(stop.Token).ConfigureAwait(false);
            return response.IsSuccessStatusCode ? Read(body, count) : throw Refused(response, body);
        }
        catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
        {
            throw new RetrievalException(
                $"The ColBERT server at {Shown} gave no answer within {options.Timeout.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s. "
                + $"Raise {nameof(ColBertOptions)}.{nameof(ColBertOptions.Timeout)} or look at the server.", isRetryable: true, error);
        }
        catch (HttpRequestException error)
        {
            throw new RetrievalException($"The ColBERT server at {Shown} cannot be reached: {error.Message}", isRetryable: true, error);
        }
    }

    private string Shown => address.GetLeftPart(UriPartial.Path);

    private HttpRequestMessage Request(string query, int count)
    {
        if (options.Post)
        {
            using var json = new MemoryStream();
            using (var writer = new Utf8JsonWriter(json))
            {
                writer.WriteStartObject();
                writer.WriteString("query", query);
                writer.WriteNumber("k", count);
                writer.WriteEndObject();
            }

            var content = new ByteArrayContent(json.ToArray());
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            return new(HttpMethod.Post, address) { Content = content };
        }

        var asked = string.Create(CultureInfo.InvariantCulture, $"query={Uri.EscapeDataString(query)}&k={count}");
        return new(HttpMethod.Get, new UriBuilder(address) { Query = address.Query.Length > 1 ? $"{address.Query[1..]}&{asked}" : asked }.Uri);
    }

    private RetrievalException Refused(HttpResponseMessage response, byte[] body)
    {
        var status = (int)response.StatusCode;
        var after = response.Headers.RetryAfter;
        var wait = after?.Delta ?? (after?.Date - Time.GetUtcNow());
        return new(
            $"The ColBERT server at {Shown} answered HTTP {status}: {Shorten(body)}",
            isRetryable: status >= 500 || response.StatusCode is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests)
        {
            Status = status,
            RetryAfter = wait is { } span && span > TimeSpan.Zero ? span : null,
        };
    }

    private List<Passage> Read(byte[] body, int count)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                throw Unreadable("it is no object", body);
            if (root.TryGetProperty("error", out var error) && IsTrue(error))
                throw new RetrievalException($"The ColBERT server at {Shown} refused the search: {(root.TryGetProperty("message", out var message) ? message : error)}")
                {
                    Status = (int)HttpStatusCode.OK,
                };
            if (!root.TryGetProperty("topk", out var found) || found.ValueKind != JsonValueKind.Array)
                throw Unreadable("it has no list 'topk'", body);
            var passages = new List<Passage>(Math.Min(count, found.GetArrayLength()));
            foreach (var item in found.EnumerateArray().Take(count))
                passages.Add(ReadPassage(item, passages.Count, body));
            return passages;
        }
        catch (JsonException error)
        {
            throw Unreadable("it is no JSON", body, error);
        }
    }

    private Passage ReadPassage(JsonElement item, int index, byte[] body)
    {
        if (item.ValueKind != JsonValueKind.Object || (Text(item, "long_text") ?? Text(item, "text")) is not { } whole)
            throw Unreadable($"passage {index} has no 'text'", body);
        var mark = whole.IndexOf(TitleMark, StringComparison.Ordinal);
        var (title, text) = mark < 0 ? (string.Empty, whole) : (whole[..mark], whole[(mark + TitleMark.Length)..]);
        var id = Text(item, "pid") ?? Text(item, "id") ?? (title.Length > 0 ? title : index.ToString(CultureInfo.InvariantCulture));
        return new(id, title, text, Number(item, "score") ?? Number(item, "prob") ?? 0);
    }

    private static string? Text(JsonElement item, string name) => !item.TryGetProperty(name, out var value) ? null : value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        _ => null,
    };

    private static double? Number(JsonElement item, string name) =>
        item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) ? number : null;

    // As the reference: what its language takes for true.
    private static bool IsTrue(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False or JsonValueKind.Undefined => false,
        JsonValueKind.String => value.GetString()!.Length > 0,
        JsonValueKind.Number => value.GetDouble() != 0,
        JsonValueKind.Array => value.GetArrayLength() > 0,
        JsonValueKind.Object => value.EnumerateObject().Any(),
        _ => true,
    };

    private RetrievalException Unreadable(string why, byte[] body, Exception? inner = null) =>
        new($"The answer of the ColBERT server at {Shown} cannot be read: {why}. It begins: {Shorten(body)}", isRetryable: false, inner) { Status = (int)HttpStatusCode.OK };

    private static string Shorten(byte[] body)
    {
        var text = System.Text.Encoding.UTF8.GetString(body.AsSpan(0, Math.Min(body.Length, MaxAnswerText))).ReplaceLineEndings(" ");
        return body.Length > MaxAnswerText ? text + "…" : text;
    }
}
