using System.CommandLine;
using Hone;
using LlmsTxt;
using SampleCommon;

var folder = new Option<DirectoryInfo?>("--folder") { Description = "The folder to describe; a small project is built in." };
var files = SampleApp.Number("--files", "Most files that are read, in the order of their paths.", 40);

var app = new SampleApp("Writes the llms.txt of a project: what it is for, and its files with a description each.", ScriptedModel.Create, folder, files);
return await app.RunAsync(args, async run =>
{
    var project = run.Arguments.GetValue(folder) is { } given ? Project.Read(given, run.Arguments.GetValue(files)) : Project.BuiltIn;
    var guide = await new Guide().WithModel(run.Model).RunAsync(project, null, run.CancellationToken);
    Console.WriteLine(guide.Value.ToMarkdown(project.Name));

    // Links are the program's, not the model's: none can be made up. Lengths are bounds of the fields: what is too long is asked for again.
    Console.WriteLine($"({project.Files.Count} files, {guide.Usage.Calls} requests; answers that had to be mended or asked for again: {guide.RecoveryCount})");
});
