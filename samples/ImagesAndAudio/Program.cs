using System.CommandLine;
using Hone;
using ImagesAndAudio;
using Microsoft.Extensions.AI;
using SampleCommon;

var picture = new Option<FileInfo?>("--image") { Description = "A picture instead of the built-in one; the script reads PNG only." };
var sound = new Option<FileInfo?>("--audio") { Description = "A recording instead of the built-in one; the script reads mono WAV of 16 bits only." };

var app = new SampleApp("Looks at a picture and listens to a recording.", ScriptedModel.Create, picture, sound);
return await app.RunAsync(args, async run =>
{
    var image = run.Arguments.GetValue(picture) is { } photo ? await Image.FromFileAsync(photo.FullName, cancellationToken: run.CancellationToken) : Made.Picture();
    var audio = run.Arguments.GetValue(sound) is { } recording ? await Audio.FromFileAsync(recording.FullName, cancellationToken: run.CancellationToken) : Made.Tone();

    var look = new Predict<Photo, Seen>("Look at the picture and answer the question.").WithModel(run.Model);
    var listen = new Predict<Recording, Heard>("Listen to the recording.").WithModel(run.Model);
    var (seen, heard) = (
        await look.RunAsync(new(image, "Which colour has most of it?"), null, run.CancellationToken),
        await listen.RunAsync(new(audio), null, run.CancellationToken));

    Console.WriteLine($"{image.MediaType}, {image.Data.Length} bytes");
    Console.WriteLine(FormattableString.Invariant($"  {seen.Value.Width} x {seen.Value.Height}, {seen.Value.Share:P0} {seen.Value.MainColour}"));
    Console.WriteLine($"{audio.MediaType}, {audio.Data.Length} bytes");
    Console.WriteLine(FormattableString.Invariant($"  {heard.Value.Seconds:0.00} s, {heard.Value.Hertz:0} Hz, {(heard.Value.IsLoud ? "loud" : "quiet")}"));

    Console.WriteLine("\nParts of the request with the picture:");
    foreach (var part in seen.Trace.Calls[0].Messages[^1].Contents)
        Console.WriteLine($"  {(part is TextContent text ? text.Text.Trim().ReplaceLineEndings(" / ") : Media.FromContent(part))}");
});
