using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Hone.AspNetCore;

/// <summary>An error as problem details (RFC 9457). The detail is the error's own message, which holds no secrets.</summary>
internal static class Problem
{
    /// <summary>What a failed run means to a client of the service.</summary>
    public static int StatusOf(HoneException error) => error switch
    {
        BudgetExceededException => StatusCodes.Status429TooManyRequests,
        LMNotConfiguredException => StatusCodes.Status500InternalServerError,
        LMException { IsRetryable: true } => StatusCodes.Status503ServiceUnavailable,
        LMException or AdapterParseException or AgentException => StatusCodes.Status502BadGateway,
        _ => StatusCodes.Status500InternalServerError,
    };

    public static Task WriteAsync(HttpContext context, int status, Exception error)
    {
        SetRetryAfter(context, error);
        return JsonAnswer.WriteAsync(context, status, writer => Write(writer, status, error), "application/problem+json");
    }

    /// <summary>Passes on when the provider wants to be asked again.</summary>
    public static void SetRetryAfter(HttpContext context, Exception error)
    {
        if (error is LMException { RetryAfter: { } pause })
            context.Response.Headers.RetryAfter = Math.Ceiling(pause.TotalSeconds).ToString(CultureInfo.InvariantCulture);
    }

    public static void Write(Utf8JsonWriter writer, int status, Exception error)
    {
        writer.WriteStartObject();
        writer.WriteString("title", TitleOf(status));
        writer.WriteNumber("status", status);
        writer.WriteString("detail", error.Message);
        writer.WriteString("code", (error as LMException)?.Code ?? error.GetType().Name);
        writer.WriteEndObject();
    }

    private static string TitleOf(int status) => status switch
    {
        StatusCodes.Status400BadRequest => "The inputs do not fit",
        StatusCodes.Status429TooManyRequests => "The budget is spent",
        StatusCodes.Status502BadGateway => "The model gave no usable answer",
        StatusCodes.Status503ServiceUnavailable => "The model cannot be reached now",
        _ => "The program failed",
    };
}
