using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Hone.AspNetCore;

/// <summary>One program behind one route.</summary>
internal sealed class ProgramEndpoint<[DynamicallyAccessedMembers(ProgramTypes.Members)] TIn, [DynamicallyAccessedMembers(ProgramTypes.Members)] TOut>(
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
        var events = new EventWriter(context.Response.Body);
        try
        {
            await foreach (var happened in program.StreamAsync(input, options, context.RequestAborted).ConfigureAwait(false))
            {
                if (happened is RunCompleted<TOut> done)
                    await events.WriteAsync("completed", writer => WriteResult(writer, done.Prediction), context.RequestAborted).ConfigureAwait(false);
                else
                    await events.WriteAsync(happened, context.RequestAborted).ConfigureAwait(false);
            }
        }
        catch (HoneException error)
        {
            // The status has been sent: the error is the last event.
            await events.WriteAsync("error", writer => Problem.Write(writer, Problem.StatusOf(error), error), context.RequestAborted).ConfigureAwait(false);
        }
    }

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
