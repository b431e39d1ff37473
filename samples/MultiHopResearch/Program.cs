using System.CommandLine;
using MultiHopResearch;
using MultiHopResearch.Hover;

var hops = new Option<int?>("--hops") { Description = "Most searches a claim: 3 by default, 2 with --data." };
var stopEarly = new Option<bool>("--stop-early") { Description = "End with the first search that finds nothing new: runs then differ in how often they call the model." };
var data = new Option<FileInfo?>("--data") { Description = "A HoVer file (JSON or JSON lines) instead of the sample's own worlds: its claims over three articles. Needs --corpus." };
var corpus = new Option<FileInfo?>("--corpus") { Description = "The articles to search for HoVer's claims, e.g. the Wikipedia abstracts of 2017: JSON lines of title and text (text or a list of sentences)." };
var index = new Option<DirectoryInfo?>("--index") { Description = "Where the index of --corpus is kept; it is made once. By default beside the corpus." };
var model = new Option<string?>("--model") { Description = "Evaluate an OpenAI-compatible server, e.g. http://localhost:8000/v1, instead of training. Its key is read from OPENAI_API_KEY." };
var name = new Option<string?>("--name") { Description = "Name of the model on that server." };

var command = new TrainingCommand(
    "multi-hop", "Trains a multi-hop research program by reinforcement learning, in this process.", hops, stopEarly, data, corpus, index, model, name);
return await command.RunAsync(args, (arguments, stop) =>
{
    var hover = arguments.GetValue(data)?.FullName;
    var settings = command.Read(arguments, new Settings
    {
        Steps = hover is null ? Settings.DefaultSteps : HoverTraining.Steps,
        Hops = (arguments.GetValue(hops) ?? (hover is null ? Worlds.DefaultHops : HoverData.Hops)) is >= 1 and var most
            ? most
            : throw new HoneException($"--hops expects 1 or more, got {arguments.GetValue(hops)}."),
        StopsEarly = arguments.GetValue(stopEarly),
        Server = ServerModel.ParseAddress("--model", arguments.GetValue(model)),
        ServerModel = arguments.GetValue(name),
        Data = hover,
        Corpus = arguments.GetValue(corpus)?.FullName,
        Index = arguments.GetValue(index)?.FullName,
    });
    return settings.Server is not null ? ServerJob.RunAsync(settings, stop)
        : command.SeedsOf(arguments) is { Count: > 0 } several ? TrainingJob.SweepAsync(settings, several, stop)
        : TrainingJob.RunAsync(settings, stop);
});
