using System.Net;
using System.Text;

namespace Hone;

/// <summary>
/// Makes <c>Retry-After</c> known where a provider's client does not pass it on, as those of Anthropic and Ollama: put it into the
/// <see cref="HttpClient"/> that the client uses. A refusal that says how long to wait fails the request at once, with status, text and time kept
/// for <see cref="LMException.RetryAfter"/>. Everything else passes through.
/// </summary>
public sealed class RetryAfterHandler : DelegatingHandler
{
    private const int MaxBody = 64 * 1024;

    /// <summary>A handler whose inner one is set by whoever builds the chain, e.g. <c>AddHttpMessageHandler</c>.</summary>
    public RetryAfterHandler()
    {
    }

    /// <summary>A handler over another, e.g. a <see cref="SocketsHttpHandler"/>.</summary>
    /// <param name="innerHandler">What sends the requests.</param>
    public RetryAfterHandler(HttpMessageHandler innerHandler) : base(innerHandler)
    {
    }

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.IsSuccessStatusCode)
            return response;
        var (milliseconds, value) = (Header(response, "retry-after-ms"), Header(response, "retry-after"));
        if (milliseconds is null && value is null)
            return response;
        using (response)
        {
            var body = await ReadAsync(response.Content, cancellationToken).ConfigureAwait(false);
            var id = ProviderError.RequestIdHeaders.Select(name => Header(response, name)).FirstOrDefault(id => id is not null);
            throw new RefusedRequestException(response.StatusCode, body, id, milliseconds, value);
        }
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

    private static async Task<string> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        var stream = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using var closing = stream.ConfigureAwait(false);
        var bytes = new byte[MaxBody];
        var length = await stream.ReadAtLeastAsync(bytes, MaxBody, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        return Encoding.UTF8.GetString(bytes, 0, length);
    }
}

/// <summary>A request that was refused with a time to wait, as the handler found it.</summary>
internal sealed class RefusedRequestException(HttpStatusCode status, string body, string? requestId, string? milliseconds, string? retryAfter)
    : HttpRequestException($"The server answered {(int)status} and asks to wait.", null, status)
{
    /// <summary>What the provider said.</summary>
    public ProviderError Read(TimeProvider time)
    {
        var (code, text) = ProviderError.ReadBody(body);
        return new((int)StatusCode!.Value, code, text ?? Message, requestId, ProviderError.ParseRetryAfter(milliseconds, retryAfter, time));
    }
}
