using System.Buffers;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Hone.AspNetCore;

/// <summary>Writes JSON whole, with its length: an error half way leaves no half answer.</summary>
internal static class JsonAnswer
{
    public static Task WriteAsync(HttpContext context, int status, Action<Utf8JsonWriter> write, string contentType = "application/json; charset=utf-8")
    {
        var body = ToBytes(write);
        context.Response.StatusCode = status;
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.Length;
        return context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    public static ReadOnlyMemory<byte> ToBytes(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
            write(writer);
        return buffer.WrittenMemory;
    }
}
