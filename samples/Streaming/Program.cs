using System.CommandLine;
using Hone;
using SampleCommon;
using Streaming;

var topic = new Option<string>("--topic") { Description = "What the story is about.", DefaultValueFactory = _ => "a small crab" };
var sentences = SampleApp.Number("--sentences", "Ends the story after so many sentences.", 3);
var pieces = new Option<bool>("--pieces") { Description = "Marks where one piece ends and the next begins." };

var app = new SampleApp("Shows a program's output fields while they arrive, and stops early.", ScriptedModel.Create, topic, sentences, pieces);
return await app.RunAsync(args, async run =>
{
    var program = new Writer().WithModel(run.Model);
    var (mark, field, ends, count) = (run.Arguments.GetValue(pieces) ? "|" : "", "", 0, 0);
    await foreach (var happened in program.StreamAsync(run.Arguments.GetValue(topic)!, null, run.CancellationToken))
    {
        switch (happened)
        {
            case StatusMessage status:
                Console.Write($"\n[{status.Message}]");
                break;
            case FieldDelta delta:
                var name = $"{delta.Path}.{delta.Field}";
                Console.Write(name == field ? mark + delta.Text : $"\n{name}: {delta.Text}");
                (field, count) = (name, count + 1);
                ends += delta.Path == "write_story" ? delta.Text.Count(letter => letter == '.') : 0;
                break;
            case FieldReset reset:
                Console.Write($"\n{reset.Path}.{reset.Field} begins anew");
                (field, ends) = ("", 0);
                break;
            case RunCompleted<string> completed:
                Console.WriteLine($"\n[Done: {count} pieces, {completed.Prediction.Usage.Calls} requests]");
                break;
        }

        if (ends >= run.Arguments.GetValue(sentences))
        {
            Console.WriteLine($"\n[Enough after {ends} sentences and {count} pieces: the request is ended]");
            break;
        }
    }
});
