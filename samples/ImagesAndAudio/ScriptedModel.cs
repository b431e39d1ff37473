using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Hone;
using Hone.Testing;
using Microsoft.Extensions.AI;

namespace ImagesAndAudio;

/// <summary>Plays a model that sees and hears: takes the media out of the message's parts and measures them. It knows PNG and mono WAV of 16 bits.</summary>
internal static class ScriptedModel
{
    public static IChatClient Create() => ScriptedChatClient.By((request, _) =>
    {
        var media = request.Messages[^1].Contents.OfType<DataContent>().Single();
        return media.HasTopLevelMediaType("image") ? See(media.Data.Span) : Hear(media.Data.Span);
    });

    private static string See(ReadOnlySpan<byte> bytes)
    {
        if (Png.Read(bytes) is not var (width, height, pixels))
            return "I can only read PNG of 8 bits a colour.";
        var main = pixels.CountBy(Name).MaxBy(colour => colour.Value);
        return ScriptedChatClient.ChatText(FieldMap.Of(("width", width), ("height", height), ("main_colour", main.Key), ("share", (double)main.Value / pixels.Length)));
    }

    private static string Name((byte Red, byte Green, byte Blue) pixel) => pixel switch
    {
        var (red, green, blue) when red > 2 * Math.Max(green, blue) => "red",
        var (red, green, blue) when green > 2 * Math.Max(red, blue) => "green",
        var (red, green, blue) when blue > 2 * Math.Max(red, green) => "blue",
        _ => "other",
    };

    // The pitch from how often the wave rises through zero.
    private static string Hear(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 46 || !bytes.StartsWith("RIFF"u8) || bytes[22] != 1 || bytes[34] != 16)
            return "I can only read mono WAV of 16 bits.";
        var rate = BinaryPrimitives.ReadInt32LittleEndian(bytes[24..]);
        var samples = MemoryMarshal.Cast<byte, short>(bytes[44..]).ToArray();
        var (seconds, rises) = ((double)samples.Length / rate, samples.Zip(samples.Skip(1)).Count(pair => pair.First <= 0 && pair.Second > 0));
        return ScriptedChatClient.ChatText(FieldMap.Of(("seconds", seconds), ("hertz", Math.Round(rises / seconds)), ("is_loud", samples.Max() > 16_000)));
    }
}
