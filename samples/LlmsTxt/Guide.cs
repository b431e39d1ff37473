using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text;
using Hone;

namespace LlmsTxt;

/// <summary>Where a file belongs.</summary>
public enum Section { Docs, Source, Optional }

/// <summary>What one file is for.</summary>
public sealed record FileNote([property: Description("Optional is what a reader can do without")] Section Section, [property: MaxLength(80)] string Description);

/// <summary>What is known of all files.</summary>
public sealed record Overview(string Name, IReadOnlyList<string> Files);

/// <summary>What the project is for.</summary>
public sealed record Purpose([property: MaxLength(160)] string Text);

/// <summary>How to begin.</summary>
public sealed record FirstSteps([property: Description("Commands or files, in the order of use")][property: MaxLength(3)] IReadOnlyList<string> Steps);

/// <summary>The parts of an llms.txt.</summary>
public sealed record LlmsFile(string Purpose, IReadOnlyList<string> Steps, IReadOnlyList<(string Path, FileNote Note)> Files)
{
    /// <summary>As the format has it: a title, a quote, notes, and sections of links.</summary>
    public string ToMarkdown(string name)
    {
        var text = new StringBuilder($"# {name}\n\n> {Purpose}\n\n");
        foreach (var step in Steps)
            text.Append($"- {step}\n");
        foreach (var section in Files.GroupBy(file => file.Note.Section).OrderBy(group => group.Key))
        {
            text.Append($"\n## {section.Key}\n\n");
            foreach (var (path, note) in section)
                text.Append($"- [{path}]({path}): {note.Description}\n");
        }

        return text.ToString();
    }
}

/// <summary>Describes each file, all side by side, and the whole by the descriptions.</summary>
internal sealed class Guide : Module<Project, LlmsFile>
{
    private readonly ForEach<SourceFile, FileNote> describe = new(new Predict<SourceFile, FileNote>("Describe the file of a project in one sentence for a reader who has not seen it."));
    private readonly ChainOfThought<Overview, Purpose> purpose = new("Say in one sentence what the project is for.");
    private readonly Predict<SourceFile, FirstSteps> begin = new("Say how to begin with the project.");

    protected override async Task<LlmsFile> ForwardAsync(Project input, CancellationToken cancellationToken)
    {
        var notes = await describe.CallAsync(input.Files, cancellationToken);
        var files = input.Files.Zip(notes, (file, note) => (file.Path, note.Value!)).ToList();
        var whole = await purpose.CallAsync(new(input.Name, [.. files.Select(file => $"{file.Path}: {file.Item2.Description}")]), cancellationToken);
        var first = await begin.CallAsync(input.Files[0], cancellationToken);
        return new(whole.Text, first.Steps, files);
    }
}
