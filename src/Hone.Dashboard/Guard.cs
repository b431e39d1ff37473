using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Hone.Optimizers;

/// <summary>
/// Who may ask for what. Answers are for pages of this server only: a foreign page in the same browser can neither read (no other origin is let in, no
/// other host name is answered) nor press a button (that takes a word that only the page knows).
/// </summary>
internal sealed class Guard(DashboardOptions options)
{
    /// <summary>The header that a request to change something carries.</summary>
    public const string ActionHeader = "X-Hone-Action";

    // No script, style, picture or connection but this server's own; text never becomes markup.
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        + "frame-ancestors 'none'; require-trusted-types-for 'script'";

    /// <summary>What lets a browser in; null when everyone on this machine may look.</summary>
    public string? Token { get; } = options.NeedsToken ? NewSecret() : null;

    /// <summary>What a page must say to press a button. Pages of other origins cannot read it.</summary>
    public string ActionToken { get; } = NewSecret();

    public static void Harden(HttpResponse response)
    {
        var headers = response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers.CacheControl = "no-store";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
    }

    /// <summary>Why a request is refused; null when it is not.</summary>
    public (int Status, string Reason)? Refuse(HttpContext context)
    {
        var request = context.Request;
        if (!IsOwnHost(request.Host.Host))
            return (StatusCodes.Status421MisdirectedRequest, "This server does not answer to that host name. Use the address that the program printed, or name the host in DashboardOptions.HostNames.");
        if (Token is { } token && !HasToken(context, token))
            return (StatusCodes.Status401Unauthorized, "Open the address that the program printed: it carries a token.");
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
            return null;
        if (!HttpMethods.IsPost(request.Method))
            return (StatusCodes.Status405MethodNotAllowed, "GET and POST only.");
        return IsFromOwnPage(request) ? null : (StatusCodes.Status403Forbidden, "Only the page of this run may do that.");
    }

    // A host name that an attacker points at this machine must not make foreign pages same-origin; a plain address cannot be pointed elsewhere.
    private bool IsOwnHost(string host) =>
        string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && (IPAddress.IsLoopback(address) || !IPAddress.IsLoopback(options.Address)))
        || options.HostNames.Contains(host, StringComparer.OrdinalIgnoreCase);

    private static bool HasToken(HttpContext context, string token)
    {
        var cookie = CookieOf(context);
        if (AreEqual(context.Request.Cookies[cookie], token) || AreEqual(Bearer(context.Request), token))
            return true;
        if (!AreEqual(context.Request.Query["token"], token))
            return false;

        // The page takes the token out of its address; from then on the browser shows the cookie.
        context.Response.Cookies.Append(cookie, token, new() { HttpOnly = true, SameSite = SameSiteMode.Strict, Path = "/" });
        return true;
    }

    private bool IsFromOwnPage(HttpRequest request)
    {
        string? origin = request.Headers.Origin;
        string? site = request.Headers["Sec-Fetch-Site"];
        return AreEqual(request.Headers[ActionHeader], ActionToken)
            && (origin is null || string.Equals(origin, $"{request.Scheme}://{request.Host}", StringComparison.OrdinalIgnoreCase))
            && site is null or "same-origin";
    }

    // Cookies do not know ports: two dashboards of one machine must not take each other's.
    private static string CookieOf(HttpContext context) => $"hone-dashboard-{context.Connection.LocalPort}";

    private static string? Bearer(HttpRequest request)
    {
        string? header = request.Headers.Authorization;
        return header?.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) == true ? header["Bearer ".Length..].Trim() : null;
    }

    // Of equal length whatever is given, and in constant time.
    private static bool AreEqual(string? given, string expected) => given is not null
        && CryptographicOperations.FixedTimeEquals(SHA256.HashData(Encoding.UTF8.GetBytes(given)), SHA256.HashData(Encoding.UTF8.GetBytes(expected)));

    private static string NewSecret() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
}
