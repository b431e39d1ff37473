using Hone;

namespace Streaming;

/// <summary>Plans a story, then writes it, and says what it is at.</summary>
internal sealed partial class Writer : Module<string, string>
{
    [ChainOfThought("Plan a very short story: a title and its scenes.")]
    private partial Task<(string Title, IReadOnlyList<string> Scenes)> Plan(string topic, CancellationToken cancellationToken);

    [Predict("Write the story, a sentence a scene.")]
    private partial Task<string> WriteStory(string title, IReadOnlyList<string> scenes, CancellationToken cancellationToken);

    protected override async Task<string> ForwardAsync(string input, CancellationToken cancellationToken)
    {
        await HoneScope.ReportStatusAsync("Planning", cancellationToken);
        var (title, scenes) = await Plan(input, cancellationToken);

        await HoneScope.ReportStatusAsync($"Writing {scenes.Count} scenes", cancellationToken);
        return await WriteStory(title, scenes, cancellationToken);
    }
}
