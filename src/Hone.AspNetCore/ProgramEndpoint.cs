using System.Diagnostics.CodeAnalysis;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace Hone.AspNetCore;

/// <summary>One program behind one route.</summary>
internal sealed partial class ProgramEndpoint<[DynamicallyAccessedMembers(TypeSupport.Members)] TIn, [DynamicallyAccessedMembers(TypeSupport.Members)] TOut>(
    Program<TIn, TOut> program, RunOptions? options)
{
    private const string EventStream = "text/event-stream";

    private readonly ProgramJson<TIn, TOut> json = new(program);

    public async Task InvokeAsync(HttpContext context)
    {
        if (HttpMethods.IsGet(context.Request.Method))
        {
            await JsonAnswer.WriteAsync(context, StatusCodes.Status200OK, WriteSchemas).ConfigureAwait(false);
            return;
        }

        TIn input;
        try
        {
            using var body = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted).ConfigureAwait(false);
            input = json.Read(body.RootElement);
        }
        catch (Exception error) when (error is JsonException or HoneException)
        {
            await Problem.WriteAsync(context, StatusCodes.Status400BadRequest, error).ConfigureAwait(false);
            return;
        }

        if (AcceptsEvents(context.Request))
            await StreamAsync(context, input).ConfigureAwait(false);
        else
            await RunAsync(context, input).ConfigureAwait(false);
    }

    private async Task RunAsync(HttpContext context, TIn input)
    {
        Prediction<TOut> run;
        try
        {
            run = await program.RunAsync(input, options, context.RequestAborted).ConfigureAwait(false);
        }
        catch (HoneException error)
        {
            await Problem.WriteAsync(context, Problem.StatusOf(error), error).ConfigureAwait(false);
            return;
        }

        await JsonAnswer.WriteAsync(context, StatusCodes.Status200OK, writer => WriteResult(writer, run)).ConfigureAwait(false);
    }

    private async Task StreamAsync(HttpContext context, TIn input)
    {
        context.Response.ContentType = EventStream;
        context.Response.Headers.CacheControl = "no-cache,no-store";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        var events = program.StreamAsync(input, options, context.RequestAborted).ToServerSentEventsAsync(null, context.RequestAborted);
        try
        {
            await SseFormatter.WriteAsync(events, context.Response.Body, context.RequestAborted).ConfigureAwait(false);
        }
        catch (HoneException error)
        {
            // The client was told by the last event: the status has long been sent.
            Failed(context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Hone.AspNetCore"), context.Request.Path, error);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A streamed run of {Path} failed.")]
    private static partial void Failed(ILogger logger, string path, Exception error);

    private void WriteSchemas(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("description", json.Instructions);
        writer.WritePropertyName("input");
        json.InputSchema.WriteTo(writer);
        if (json.OutputSchema is { } output)
        {
            writer.WritePropertyName("output");
            output.WriteTo(writer);
        }

        writer.WriteEndObject();
    }

    private void WriteResult(Utf8JsonWriter writer, Prediction<TOut> run)
    {
        writer.WriteStartObject();
        writer.WritePropertyName("value");
        json.Write(run.Value).WriteTo(writer);
        writer.WriteStartObject("usage");
        writer.WriteNumber("calls", run.Usage.Calls);
        writer.WriteNumber("input_tokens", run.Usage.InputTokens);
        writer.WriteNumber("output_tokens", run.Usage.OutputTokens);
        writer.WriteNumber("cost", run.Usage.Cost);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static bool AcceptsEvents(HttpRequest request) =>
        MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted) && accepted.Any(type => type.MediaType.Equals(EventStream, StringComparison.OrdinalIgnoreCase));
}
