using System.Net;
using System.Net.Http.Headers;
using Microsoft.Extensions.AI;

namespace Hone;

/// <summary>Fetches media over http and https, within the limits that the caller sets.</summary>
internal static class MediaDownload
{
    private const int MaximumRedirects = 10;

    public static async Task<AIContent> FetchAsync(
        HttpClient client, Uri address, MediaDownloadOptions? options, MediaKind kind, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(address);
        options ??= new();
        CheckAddress(address, options, kind);
        using var expiry = new CancellationTokenSource(options.Timeout, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, expiry.Token);
        try
        {
            using var response = await GetAsync(client, address, options, kind, either.Token).ConfigureAwait(false);
            response.EnsureSuccessStatusCode();
            var path = (response.RequestMessage?.RequestUri ?? address).AbsolutePath;
            var mediaType = options.MediaType ?? StatedType(response.Content.Headers.ContentType, kind) ?? MediaTypes.OfPath(path)
                ?? kind.Fallback
                ?? throw new HoneException($"The server of {address} does not state a media type. Set MediaDownloadOptions.MediaType.");
            MediaContents.CheckType(mediaType, kind);
            var bytes = await ReadAsync(response.Content, address, options.MaximumBytes, either.Token).ConfigureAwait(false);
            return MediaContents.FromBytes(bytes, mediaType, kind, Path.GetFileName(path) is { Length: > 0 } name ? name : null);
        }
        catch (OperationCanceledException error) when (expiry.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new HoneException(
                $"{kind.TypeName}.DownloadAsync got no whole answer of {address} within {options.Timeout}, the limit in MediaDownloadOptions.Timeout.", error);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or TaskCanceledException { InnerException: TimeoutException })
        {
            throw new HoneException($"{kind.TypeName}.DownloadAsync could not fetch {address}: {error.Message}", error);
        }
    }

    // The answer at the end of the redirects. Whether the client's handler follows them by itself cannot be seen before: then only the end is checked.
    private static async Task<HttpResponseMessage> GetAsync(
        HttpClient client, Uri address, MediaDownloadOptions options, MediaKind kind, CancellationToken cancellationToken)
    {
        var next = address;
        for (var redirects = 0; ; redirects++)
        {
            var response = await client.GetAsync(next, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            try
            {
                var final = response.RequestMessage?.RequestUri ?? next;
                if (final != next)
                    CheckRedirect(address, final, options, kind);
                if (LocationOf(response, final) is not { } location)
                    return response;
                if (redirects == MaximumRedirects)
                    throw new HoneException($"{kind.TypeName}.DownloadAsync: {address} redirects more than {MaximumRedirects} times.");
                CheckRedirect(address, location, options, kind);
                next = location;
            }
            catch (Exception)
            {
                response.Dispose();
                throw;
            }

            response.Dispose();
        }
    }

    private static Uri? LocationOf(HttpResponseMessage response, Uri address) =>
        response.StatusCode is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect
            or HttpStatusCode.PermanentRedirect && response.Headers.Location is { } location
            ? new Uri(address, location)
            : null;

    private static void CheckRedirect(Uri address, Uri target, MediaDownloadOptions options, MediaKind kind)
    {
        if (!options.FollowRedirects)
        {
            throw new HoneException(
                $"{kind.TypeName}.DownloadAsync: {address} redirects to {target}. Fetch that address, or set MediaDownloadOptions.FollowRedirects.");
        }

        CheckAddress(target, options, kind);
    }

    private static void CheckAddress(Uri address, MediaDownloadOptions options, MediaKind kind)
    {
        if (!address.IsAbsoluteUri || address.Scheme is not ("http" or "https"))
            throw new HoneException($"{kind.TypeName}.DownloadAsync fetches http and https addresses only, not '{address}'.");
        if (options.Allow?.Invoke(address) == false)
            throw new HoneException($"{kind.TypeName}.DownloadAsync: MediaDownloadOptions.Allow refuses '{address}'.");
    }

    // Servers that do not know better state "application/octet-stream".
    private static string? StatedType(MediaTypeHeaderValue? header, MediaKind kind) =>
        header?.MediaType is { } stated && !(stated == MediaTypes.Unknown && kind != MediaContents.File) ? stated : null;

    private static async Task<byte[]> ReadAsync(HttpContent content, Uri address, long limit, CancellationToken cancellationToken)
    {
        if (content.Headers.ContentLength > limit)
            throw TooLarge();
        var stream = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using var closing = stream.ConfigureAwait(false);
        using var bytes = new MemoryStream();
        var buffer = new byte[81_920];
        while (await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var count)
        {
            if (bytes.Length + count > limit)
                throw TooLarge();
            bytes.Write(buffer, 0, count);
        }

        return bytes.ToArray();

        HoneException TooLarge() => new($"The answer of {address} is longer than {limit} bytes, the limit in MediaDownloadOptions.MaximumBytes.");
    }
}
