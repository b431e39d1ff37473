using System.CommandLine;
using Banking77;

var epochs = new Option<int>("--epochs") { Description = "How often every message is imitated first.", DefaultValueFactory = _ => Settings.DefaultEpochs };
var data = new Option<FileInfo?>("--data") { Description = "The Banking77 file (columns text, category). Without it, a small set of the sample's own." };

var command = new TrainingCommand("banking", "One classifier: supervised tuning first, then reinforcement.", epochs, data);
return await command.RunAsync(args, (arguments, stop) =>
{
    var settings = command.Read(arguments, new Settings { Epochs = TrainingCommand.AtLeastOne("--epochs", arguments.GetValue(epochs)), Data = arguments.GetValue(data)?.FullName });

    // A sweep deals out the messages as its first run would: by one seed.
    settings = settings with { DataSeed = settings.Seed };
    return command.SeedsOf(arguments) is { Count: > 0 } several ? TrainingJob.SweepAsync(settings, several, stop) : TrainingJob.RunAsync(settings, stop);
});
