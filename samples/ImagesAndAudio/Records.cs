using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Hone;

namespace ImagesAndAudio;

/// <summary>A picture and what to look for.</summary>
public sealed record Photo(Image Picture, string Question);

/// <summary>Colours that a picture may mostly have.</summary>
public enum Colour { Red, Green, Blue, Other }

/// <summary>What is in the picture.</summary>
public sealed record Seen(int Width, int Height, Colour MainColour, [property: Description("Share of the picture that has it")][property: Range(0, 1)] double Share);

/// <summary>A recording.</summary>
public sealed record Recording(Audio Sound);

/// <summary>What is heard.</summary>
public sealed record Heard(double Seconds, [property: Range(20, 20_000)][property: Description("Pitch in hertz")] double Hertz, bool IsLoud);

/// <summary>A picture and a tone that need no files.</summary>
internal static class Made
{
    /// <summary>8 by 4 points: three quarters blue, the right quarter green.</summary>
    public static Image Picture() => Image.FromDataUri("data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAgAAAAECAIAAAA8r+mnAAAAEUlEQVR42mNgYDiBjiA09SQAz+AZAVwqE3wAAAAASUVORK5CYII=");

    /// <summary>Half a second of the concert pitch.</summary>
    public static Audio Tone() => Audio.FromSamples([.. Enumerable.Range(0, 8_000).Select(i => 0.8f * MathF.Sin(2 * MathF.PI * 440 * i / 16_000))]);
}
