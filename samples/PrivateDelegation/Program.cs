using System.CommandLine;
using PrivateDelegation;

var warmUp = new Option<int>("--warm-up") { Description = "Queries that the embedded model is shown before it is trained; with few it cannot learn.", DefaultValueFactory = _ => WarmStart.DefaultQueries };
var data = new Option<FileInfo?>("--data") { Description = "The PUPA file pupa_new as JSON lines instead of the sample's own queries." };
var model = new Option<string?>("--model") { Description = "Evaluate a model on an OpenAI-compatible server, e.g. http://localhost:8000/v1#qwen3, instead of training. Keys are read from OPENAI_API_KEY." };
var untrusted = new Option<string?>("--untrusted") { Description = "The strong, untrusted model as ADDRESS#NAME; without it the sample's own rules answer." };
var judge = new Option<string?>("--judge") { Description = "The judging model as ADDRESS#NAME; without it the sample's own rules judge." };

var command = new TrainingCommand(
    "delegation", "Trains a program that delegates to an untrusted model without telling it personal details.", warmUp, data, model, untrusted, judge);
return await command.RunAsync(args, (arguments, stop) =>
{
    var settings = command.Read(arguments, new Settings
    {
        WarmUp = TrainingCommand.AtLeastOne("--warm-up", arguments.GetValue(warmUp)),
        Data = arguments.GetValue(data)?.FullName,
        Model = ServerModel.Parse("--model", arguments.GetValue(model)),
        Untrusted = ServerModel.Parse("--untrusted", arguments.GetValue(untrusted)),
        Judge = ServerModel.Parse("--judge", arguments.GetValue(judge)),
    });
    return command.SeedsOf(arguments) is { Count: > 0 } several ? Jobs.SweepAsync(settings, several, stop) : Jobs.RunAsync(settings, stop);
});
